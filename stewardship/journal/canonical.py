"""One way to write a document down, so that equal content has an equal digest."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class FloatRefused(TypeError):
    """A binary float has no exact decimal form; documents hold Decimal."""


def plain(value: Any) -> Any:
    """The same document with only JSON types and Decimal; raises FloatRefused on a float."""
    if isinstance(value, float):
        raise FloatRefused(f"{value!r} is a float; use Decimal('{value!r}').")
    if isinstance(value, Decimal):
        # 1E+2, 100 and 100.0 are one number and must have one digest.
        value = value.normalize()
        return int(value) if value == value.to_integral_value() else Decimal(format(value, "f"))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    return value


def dump(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8, decimals as numbers. UUIDs and datetimes become strings."""
    return _encoder.encode(plain(value))


def load(text: str | bytes) -> Any:
    """The document back, with numbers that have a point as Decimal."""
    return _decoder.decode(text)


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(dump(value)).hexdigest()
