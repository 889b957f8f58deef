"""Strict decoding shared by the formats: msgspec's complaint turned into field and reason."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from django.utils.translation import gettext as _

from monitoring.signals.errors import BodyRefused, ItemError

T = TypeVar("T")

# PostgreSQL cannot store this character in text, and no name needs it.
NO_NUL = r"^[^\x00]*$"

_AT = re.compile(r" - at `(?P<path>[^`]+)`$")
_NAMED = re.compile(r"(?:required|unknown) field `(?P<name>[^`]+)`")


def complaint(error: msgspec.ValidationError) -> tuple[str, str]:
    """Field (dotted, without the `$`) and reason of a validation error."""
    text = str(error)
    at = _AT.search(text)
    reason = text[: at.start()] if at else text
    path = at["path"].removeprefix("$").lstrip(".") if at else ""
    named = _NAMED.search(reason)
    if named:
        path = f"{path}.{named['name']}".lstrip(".")
    return path, f"{reason}."


def item(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, index: int, errors: list[ItemError]) -> T | None:
    """One fact, or None with its error noted."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        field, reason = complaint(error)
        errors.append(ItemError(index, field, reason))
        return None


def whole(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    """The body's outer shape; raises BodyRefused naming what is malformed."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        field, reason = complaint(error)
        raise BodyRefused([ItemError(None, field or "body", reason)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyRefused([ItemError(None, "body", _("This is not %(what)s: %(why)s.") % {"what": what, "why": error})]) from error
