"""JSON from outside, exact and bounded."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from governance.evidence.readers import Unreadable

MOST_BYTES = 2 * 1024 * 1024
MOST_DIGITS = 30
_UNPLAIN = re.compile(r"[^a-z0-9]+")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def load(data: bytes) -> dict[str, Any]:
    """A JSON object with exact decimals; raises Unreadable."""
    if len(data) > MOST_BYTES:
        raise Unreadable(f"The file has {len(data)} bytes; up to {MOST_BYTES} are read.")
    try:
        document = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, ValueError, RecursionError) as error:
        raise Unreadable(f"This is not JSON: {error}.")
    if not isinstance(document, dict):
        raise Unreadable("The file holds no JSON object.")
    return document


def number(value: Any, where: str) -> Decimal:
    """A number of reasonable size; raises Unreadable naming where it stands."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unreadable(f"{where} is not a number.")
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > MOST_DIGITS or len(exact.as_tuple().digits) > MOST_DIGITS:
        raise Unreadable(f"{where} is not a number of reasonable size.")
    return exact


def count(value: Any, where: str) -> int:
    """A whole number from 0; raises Unreadable naming where it stands."""
    exact = number(value, where)
    if exact < 0 or exact != exact.to_integral_value() or exact > 10**15:
        raise Unreadable(f"{where} is not a count.")
    return int(exact)


def plain_name(value: Any, where: str) -> str:
    """The name as a rule can write it: lower case, digits, underscores."""
    name = _UNPLAIN.sub("_", str(value).lower()).strip("_")[:60] if isinstance(value, str) else ""
    if not name or name[0].isdigit():
        raise Unreadable(f"{where} has no name that a rule could use.")
    return name
