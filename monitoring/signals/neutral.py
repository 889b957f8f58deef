"""The one shape that every monitoring service's facts are brought into."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec


class Kind(StrEnum):
    """What a fact is. One is never inferred from another."""

    MEASUREMENT = "measurement"  # a number over a window; our own thresholds judge it
    VERDICT = "verdict"  # the source judged: firing or resolved
    SHORTFALL = "shortfall"  # the source says that it told us less than it knows


class Neutral(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact, still in words: names and codes as the source wrote them, after its mapping was applied.

    `external_id` is the producer's identity of this fact; with the source it makes ingestion idempotent.
    `end` is event time. `key` names what a verdict is about, the same while it fires and when it ends.
    `position` is the fact's index in the body, for error messages.
    """

    external_id: str
    kind: Kind
    position: int
    start: datetime
    end: datetime
    model: str = ""
    version: str = ""
    environment: str = ""
    region: str = ""
    metric: str = ""
    method: str = ""
    subject: str = ""
    value: Decimal | None = None
    n: int | None = None
    unit: str = ""
    direction: str = ""
    key: str = ""
    firing: bool = False
    level: str = ""
    title: str = ""
    context: dict[str, Any] = {}
