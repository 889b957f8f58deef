"""Parameters and what may be set, in words. Used by the configuration only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from monitoring.thresholds.inherit import Parameter
from monitoring.thresholds.models import ParameterChoice, Rule
from monitoring.thresholds.room import Room, room
from monitoring.thresholds.rules import Band
from stewardship.regions.models import Region


@dataclass(frozen=True)
class Row:
    """One line of "what may be set here"."""

    rule: Rule
    parameter: str
    now: str
    node: str
    limits: str


def rows(region: Region, at: datetime) -> list[Row]:
    """Everything this region may set, as it is read."""
    return [_row(one) for one in room(region, at)]


def _row(one: Room) -> Row:
    return Row(
        rule=one.rule,
        parameter=str(ParameterChoice(one.parameter).label),
        now=value(one.mine.value) if one.mine else _("not set"),
        node=one.mine.node if one.mine else "",
        limits=limits(one),
    )


def value(said: Any) -> str:
    """A settled value: a bound, a range, a count."""
    if isinstance(said, Band):
        return " – ".join(value(edge) for edge in (said.low, said.high) if edge is not None)
    return format(Decimal(said).normalize(), "f")


def limits(one: Room) -> str:
    """How far the region may go from what it inherits."""
    if one.freedom.low is not None and one.freedom.high is not None:
        return _("%(low)s to %(high)s") % {"low": value(one.freedom.low), "high": value(one.freedom.high)}
    if one.inherited is None:
        return _("any value")
    said = one.inherited.value
    if isinstance(said, Band) and said.low is not None and said.high is not None:
        return _("a range inside %(range)s") % {"range": value(said)}
    least = said.low is not None if isinstance(said, Band) else one.parameter is Parameter.MARGIN
    return (_("at least %(value)s") if least else _("at most %(value)s")) % {"value": value(said)}
