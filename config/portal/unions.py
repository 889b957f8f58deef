"""Rows of many tables asked for in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast

AT_ONCE = 20  # tables that one statement asks: each brings the regions of the person along


def plain(key: Any) -> str:
    """An id as every database writes it as text: one of them leaves out the dashes."""
    return str(key).replace("-", "")


def present(sets: Mapping[str, QuerySet[Any]]) -> set[tuple[str, str]]:
    """(name, plain id) of every row of these sets; one query for every 20 of them."""
    # A union takes the type of a column from its first part, and not every key is of one type.
    parts = [rows.order_by().values_list(Value(name, output_field=CharField()), Cast("pk", CharField())) for name, rows in sets.items()]
    groups = [parts[start : start + AT_ONCE] for start in range(0, len(parts), AT_ONCE)]
    asked = [first.union(*others, all=True) if others else first for first, *others in groups]
    return {(name, plain(key)) for rows in asked for name, key in rows}
