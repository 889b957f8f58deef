"""Pages by key instead of by offset: page 400 costs what page 1 costs, and no row is shown twice."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _

from config.portal.errors import Invalid


def total(ordering: tuple[str, ...]) -> tuple[str, ...]:
    """The ordering with the primary key as its last word, so that no two rows are equal."""
    return ordering if ordering and ordering[-1].lstrip("-") == "pk" else (*ordering, "pk")


def encode(row: Any, ordering: tuple[str, ...]) -> str:
    """A cursor that points at this row."""
    values = [_text(value_of(row, name.lstrip("-"))) for name in ordering]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(cursor: str, rows: QuerySet[Any], ordering: tuple[str, ...]) -> list[Any]:
    """The values a cursor holds, as the fields' own types; raises Invalid for anything else."""
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(texts, list) or len(texts) != len(ordering) or not all(isinstance(text, str) for text in texts):
            raise ValueError
        return [read(text, rows, name.lstrip("-")) for name, text in zip(ordering, texts, strict=True)]
    except (ValueError, binascii.Error, UnicodeError, RecursionError):
        raise Invalid(_("The place in the list cannot be read."), field="after", remedy=_("The list starts again from the top.")) from None


def read(text: str, rows: QuerySet[Any], path: str) -> Any:
    """The value that this text is for the field a list is ordered by; raises ValueError for what no database can compare."""
    if "\x00" in text:
        raise ValueError("a zero byte")
    text.encode()  # half of a character
    field = _field(rows, path)
    try:
        value = field.to_python(text)
        if isinstance(value, datetime):
            if is_naive(value):
                raise ValueError("a moment without a zone")
            value.astimezone(UTC)  # at either end of the calendar there is no such moment
        field.get_db_prep_value(value, connections[rows.db])
    except (ValidationError, TypeError, ArithmeticError) as error:
        raise ValueError(str(error)) from error
    return value


def beyond(ordering: tuple[str, ...], values: list[Any], *, backwards: bool) -> Q:
    """The rows after these values in this ordering (before them when `backwards`). Fields must not be null."""
    found = Q()
    equal: dict[str, Any] = {}
    for name, value in zip(ordering, values, strict=True):
        field = name.lstrip("-")
        down = name.startswith("-") != backwards
        found |= Q(**equal, **{f"{field}__{'lt' if down else 'gt'}": value})
        equal[field] = value
    return found


def reverse(ordering: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in ordering)


def value_of(row: Any, path: str) -> Any:
    """`row.a.b` for the lookup `a__b`."""
    for part in path.split("__"):
        row = getattr(row, part)
    return row


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _field(rows: QuerySet[Any], path: str) -> Any:
    if path in rows.query.annotations:
        return rows.query.annotations[path].output_field
    model: type[Model] = rows.model
    field: Any = None
    for part in path.split("__"):
        try:
            field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        except FieldDoesNotExist as error:
            raise LookupError(f"{path} is no field of {rows.model.__name__}, so a list cannot be ordered by it.") from error
        if field.related_model is not None:
            model = field.related_model
    return field
