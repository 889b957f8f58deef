"""Reads rows as they are stored and writes their values down, without making objects that are only written again.

A journal is verified by reading every row there is, so what is done to a value counts. On SQLite an id is text of
one form; whatever has another form goes the ORM's own way.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Lookup, QuerySet

from stewardship.journal import leaf

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup

_PLAIN: Final = frozenset({str, int, bool, type(None)})  # what a leaf holds as it is
_ID: Final = re.compile("[0-9a-f]{32}").fullmatch


class Among(_Lookup):
    """`column = one of keys` with one parameter for all keys: thousands of placeholders cost more than the rows they find."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        field = self.lhs.output_field
        keys = [field.get_db_prep_value(key, connection) for key in self.rhs]
        if connection.vendor == "postgresql":
            return f"{left} = ANY(%s)", (*params, keys)
        return f"{left} IN (SELECT value FROM json_each(%s))", (*params, json.dumps(keys))  # noqa: S608 - a column of ours


@contextmanager
def few_collections() -> Iterator[None]:
    """Python's collector of cycles seldom: thousands of rows hold none, and looking for one took a third of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def utc(value: datetime) -> str:
    """2026-11-22T01:02:03.000004Z"""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def written(value: Any) -> leaf.Value:
    """A database value as a leaf holds it, the same on every database; raises TypeError on a float."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value // timedelta(microseconds=1))
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(f"A governed field holds {type(value).__name__}, which has no exact written form.")


def written_rows(rows: QuerySet[Any, Any]) -> Iterator[list[leaf.Value]]:
    """What `rows.values_list(…)` gives, each value written down; raises what the ORM raises on a value that no column holds."""
    compiler: Any = rows.query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    columns = [column for column, _sql, _alias in compiler.select]
    special = [
        (place, _writer(converters, column)) for place, (converters, column) in compiler.get_converters(columns).items() if converters
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        while some := cursor.fetchmany(500):
            for row in map(list, some):
                for place, write in special:
                    row[place] = write(row[place])
                yield row if _PLAIN.issuperset(map(type, row)) else list(map(written, row))


def _writer(converters: list[Any], column: Any) -> Callable[[Any], Any]:
    """How the ORM reads a stored value of this column, or what it would read is written."""
    kind = column.output_field.get_internal_type() if connection.vendor == "sqlite" else ""
    shortcut = {"UUIDField": _id, "DateTimeField": _moment}.get(kind)

    def write(value: Any) -> Any:
        found = shortcut(value) if shortcut else None
        if found is None:
            for convert in converters:
                value = convert(value, column, connection)
            found = value
        return found

    return write


def _id(value: Any) -> str | None:
    if isinstance(value, str) and _ID(value):
        return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"
    return None


def _moment(value: Any) -> str | None:
    """The driver has read the text; the database's clock is UTC."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.isoformat(timespec="microseconds") + "Z"
    return None
