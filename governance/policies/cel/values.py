"""Values while an expression is evaluated: exact fractions, texts, truth values, lists, documents, and "not known"."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

MOST_DIGITS = 60
SHOWN_ITEMS = 20
SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Unknown:
    """Not known, and why."""

    reason: str


# A document's values are JSON types, so `Any` is what they are; every function below narrows before use.
Value = Any


def value_of(raw: Any, name: str) -> Value:
    """A fact as a value: null, floats and numbers beyond reason are not known."""
    if raw is None:
        return Unknown(f"no value for {name}")
    if isinstance(raw, bool | str | list | dict | Fraction | Unknown):
        return raw
    if isinstance(raw, int):
        return Fraction(raw) if abs(raw) < 10**MOST_DIGITS else Unknown(f"{name} has more than {MOST_DIGITS} digits")
    if isinstance(raw, Decimal):
        return _exact(raw, name)
    return Unknown(f"{name} is a {type(raw).__name__}, which no rule can compare")


def _exact(raw: Decimal, name: str) -> Value:
    if not raw.is_finite():
        return Unknown(f"{name} is not a number")
    # SECURITY: a fraction of 1E+999999999 would fill the memory.
    if len(raw.as_tuple().digits) > MOST_DIGITS or abs(raw.adjusted()) > MOST_DIGITS:
        return Unknown(f"{name} has more than {MOST_DIGITS} digits")
    return Fraction(raw)


def kind_of(value: Value) -> str:
    """The word for a value's type in messages."""
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, Fraction):
        return "a number"
    return {"str": "a text", "list": "a list", "dict": "a group of facts"}.get(type(value).__name__, "a value")


def equal(left: Value, right: Value) -> bool | Unknown:
    """Whether two values are equal; values of different kinds cannot be compared, so it is not known."""
    for side in (left, right):
        if isinstance(side, Unknown):
            return side
    if isinstance(left, list) and isinstance(right, list):
        return _equal_lists(left, right)
    if isinstance(left, dict) or isinstance(right, dict):
        return Unknown("groups of facts cannot be compared")
    if kind_of(left) != kind_of(right):
        return Unknown(f"{kind_of(left)} cannot be compared with {kind_of(right)}")
    return bool(left == right)


def _equal_lists(left: list[Any], right: list[Any]) -> bool | Unknown:
    if len(left) != len(right):
        return False
    answer: bool | Unknown = True
    for one, other in zip(left, right, strict=True):
        if isinstance(one, list) or isinstance(other, list):
            return Unknown("lists inside lists cannot be compared")  # nor can facts nested a thousand deep end the process
        same = equal(value_of(one, "an item"), value_of(other, "an item"))
        if same is False:
            return False
        if isinstance(same, Unknown):
            answer = same
    return answer


def contains(item: Value, container: Value) -> bool | Unknown:
    """Whether an item is in a list, or a key in a group of facts."""
    for side in (item, container):
        if isinstance(side, Unknown):
            return side
    if isinstance(container, dict):
        return item in container if isinstance(item, str) else Unknown("a group of facts is searched by name")
    if not isinstance(container, list):
        return Unknown(f"'in' needs a list, not {kind_of(container)}")
    answer: bool | Unknown = False
    for candidate in container:
        same = equal(item, value_of(candidate, "an item of the list"))
        if same is True:
            return True
        if isinstance(same, Unknown):
            answer = same
    return answer


def shown(value: Value) -> Any:
    """A value as it is written into a trace: JSON types and Decimal, shortened where long."""
    if isinstance(value, Unknown):
        return None
    if isinstance(value, Fraction):
        return _decimal(value)
    if isinstance(value, list):
        items = [f"{len(item)} items" if isinstance(item, list) else shown(value_of(item, "")) for item in value[:SHOWN_ITEMS]]
        return items + (["…"] if len(value) > SHOWN_ITEMS else [])
    if isinstance(value, dict):
        return f"{len(value)} facts"
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return value[:SHOWN_CHARACTERS] + "…"
    return value


def _decimal(value: Fraction) -> int | Decimal:
    if value.denominator == 1 and abs(value.numerator) < 2**53:
        return value.numerator
    with localcontext() as context:
        context.prec = 15
        return Decimal(value.numerator) / Decimal(value.denominator)
