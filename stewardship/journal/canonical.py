"""One way to write a document down, so that equal content has an equal digest."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from config.portal.errors import Invalid

# Bounds of what comes from outside. Every float fits; a number beyond would be written out digit by digit, and a document
# beyond could not be walked. What is nested deepest of our own is the trace of an expression.
MOST_DIGITS = 400
DEEPEST = 150

_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class FloatRefused(TypeError):
    """A binary float has no exact decimal form; documents hold Decimal."""


class Unwritable(Invalid):
    """The document cannot be written down: too deep, a number beyond all measure, or text that is not Unicode."""


def plain(value: Any, deep: int = 0) -> Any:
    """The same document with only JSON types and Decimal; raises FloatRefused on a float, Unwritable beyond the bounds."""
    if isinstance(value, float):
        raise FloatRefused(f"{value!r} is a float; use Decimal('{value!r}').")
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, int) and abs(value) >= _BEYOND:
        raise _too_large()
    if deep > DEEPEST:
        raise Unwritable(_("The document is nested more than %(most)d deep.") % {"most": DEEPEST}, remedy=_("Write it flatter."))
    if isinstance(value, dict):
        return {str(key): plain(item, deep + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item, deep + 1) for item in items]
    return value


_BEYOND = 10**MOST_DIGITS


def _number(value: Decimal) -> int | Decimal:
    if not value.is_finite() or abs(value.adjusted()) >= MOST_DIGITS:
        raise _too_large()
    # 1E+2, 100 and 100.0 are one number and must have one digest.
    value = value.normalize()
    return int(value) if value == value.to_integral_value() else Decimal(format(value, "f"))


def _too_large() -> Unwritable:
    return Unwritable(
        _("A number has more than %(most)d digits, or is none.") % {"most": MOST_DIGITS}, remedy=_("Give a number that can be written out.")
    )


def dump(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8, decimals as numbers. UUIDs and datetimes become strings.

    Raises FloatRefused and Unwritable.
    """
    try:
        return _encoder.encode(plain(value))
    except UnicodeEncodeError as error:
        raise Unwritable(_("A text is not Unicode: it holds half of a character."), remedy=_("Send whole characters, in UTF-8.")) from error


def load(text: str | bytes) -> Any:
    """The document back, with numbers that have a point as Decimal. Raises msgspec.DecodeError, and Unwritable beyond the bounds."""
    try:
        return _decoder.decode(text)
    except ArithmeticError:  # an exponent of twenty digits
        raise _too_large() from None
    except RecursionError:
        raise Unwritable(_("The document is nested more than %(most)d deep.") % {"most": DEEPEST}, remedy=_("Write it flatter.")) from None


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(dump(value)).hexdigest()
