"""Writing thousands of rows of one table by one prepared statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connections, models, router

from stewardship.journal.record import Fact, HistoryBypassed, Recorded


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, every: Mapping[str, Any]) -> None:
    """Insert rows of valid values, given by `columns` (attribute names), with the values in `every` repeated in each.

    What `bulk_create` does, without a statement of thousands of placeholders to be built and read: with that, most of
    the time of a large body went into making SQL. Raises what the database raises; nothing is returned.
    """
    _refuse_governed(model)
    connection = connections[router.db_for_write(model)]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    prepare = [_preparer(fields[name], connection) for name in columns]
    repeated = [_preparer(fields[name], connection)(value) for name, value in every.items()]
    quoted = ", ".join(connection.ops.quote_name(str(fields[name].column)) for name in (*columns, *every))
    marks = ", ".join(["%s"] * (len(columns) + len(every)))
    sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({quoted}) VALUES ({marks})"  # noqa: S608 - our own names
    params = [[*(ready(value) for ready, value in zip(prepare, row, strict=True)), *repeated] for row in rows]
    if params:
        with connection.cursor() as cursor:
            cursor.executemany(sql, params)


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[models.Model]) -> None:
    """Save `columns` (attribute names) of rows that exist; `bulk_update` is five times as slow, for the reason above."""
    _refuse_governed(model)
    connection = connections[router.db_for_write(model)]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    quote = connection.ops.quote_name
    key = model._meta.pk
    named = [fields[name] for name in columns] + [key]
    sets = ", ".join(f"{quote(str(field.column))} = %s" for field in named[:-1])
    sql = f"UPDATE {quote(model._meta.db_table)} SET {sets} WHERE {quote(str(key.column))} = %s"  # noqa: S608 - our own names
    params = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in named] for row in rows]
    if params:
        with connection.cursor() as cursor:
            cursor.executemany(sql, params)


def _refuse_governed(model: type[models.Model]) -> None:
    if issubclass(model, (Recorded, Fact)):
        raise HistoryBypassed(
            f"{model.__name__} is governed; written like this it would have no history.", remedy="Save each row inside acting()."
        )


def _preparer(field: models.Field[Any, Any], connection: Any) -> Callable[[Any], Any]:
    def prepare(value: Any) -> Any:
        return field.get_db_prep_save(value, connection)

    # Windows of many series begin and end at the same instants.
    return lru_cache(maxsize=4096)(prepare) if isinstance(field, models.DateTimeField | models.ForeignKey) else prepare
