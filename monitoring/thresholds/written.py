"""Bounds, freedoms and next actions as people write them: `0.3`, `0.8 to 1.2`, and one `act: …` a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from monitoring.thresholds.inherit import Parameter

RANGE = re.compile(r"(\S+)\s+(?:to|bis|–|-)\s+(\S+)")
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)  # Decimal would take 0_25, too
WORDS = ("fixed", "tighten")
MOST = 40  # characters of a number


class NotWritten(ValueError):
    """This cannot be read; says what would be."""


def read_number(text: str) -> int | Decimal:
    """A whole number or a decimal fraction, with a point. Raises NotWritten."""
    if len(text) > MOST or not (found := NUMBER.fullmatch(text)):
        raise NotWritten(_("“%(text)s” is no number; write 0.25 with a point, for a range 0.8 to 1.2.") % {"text": text[:MOST]})
    return Decimal(text) if found[1] else int(text)


def read_bound(text: str) -> Any:
    """A number, or [low, high] of a range. Raises NotWritten."""
    if found := RANGE.fullmatch(text.strip()):
        return [read_number(found[1]), read_number(found[2])]
    return read_number(text.strip())


def read_freedom(text: str) -> Any:
    """`fixed`, `tighten`, or {"low", "high"} of a range. Raises NotWritten."""
    if text.lower() in WORDS:
        return text.lower()
    found = RANGE.fullmatch(text)
    if found is None:
        raise NotWritten(_("“%(text)s”: write fixed, tighten, or a range such as 0.1 to 0.5.") % {"text": text[:MOST]})
    return {"low": read_number(found[1]), "high": read_number(found[2])}


def read_lines(text: str, read: Callable[[str], Any]) -> dict[str, Any]:
    """One `name: value` a line; empty lines say nothing. Raises NotWritten naming the line."""
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, said = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not (name and colon and said):
            raise NotWritten(_("Line %(n)d: write a name, a colon and a value.") % {"n": number})
        if name in found:
            raise NotWritten(_("Line %(n)d: %(name)s was said above.") % {"n": number, "name": name})
        try:
            found[name] = read(said)
        except NotWritten as refused:
            raise NotWritten(_("Line %(n)d: %(why)s") % {"n": number, "why": refused}) from refused
    return found


def write(value: Any) -> str:
    """A bound, a freedom or a sentence, as it is read."""
    ends = [value.get("low"), value.get("high")] if isinstance(value, dict) else value
    if isinstance(ends, list | tuple):
        return " to ".join(write(end) for end in ends)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def write_lines(said: Mapping[str, Any]) -> str:
    """One `name: value` a line, the mildest level first."""
    order = {name.value: place for place, name in enumerate(Parameter)}
    return "\n".join(f"{name}: {write(said[name])}" for name in sorted(said, key=lambda name: order.get(name, len(order))))
