"""Findings that one statement per table gives: rows without entries, broken chains, nouns unlike their history, keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import F, TextField
from django.db.models.functions import Cast

from stewardship.journal.findings import MOST, Problem
from stewardship.journal.guards import unjournalled
from stewardship.journal.keys import KEY_ADDED
from stewardship.journal.models import Entry, JournalEvent, Key, Outbox, Secret
from stewardship.journal.tables import Shape, shapes


def keys_on_record() -> Iterator[Problem]:
    """Keys in the table that no event of ours added, and keys that such an event added and that are gone."""
    told: dict[str, Any] = {}
    events = JournalEvent.objects.filter(kind=KEY_ADDED).annotate(text=Cast(F("detail"), TextField()))
    for record, text in events.values_list(Cast(F("id"), TextField()), "text"):
        try:
            told[str(json.loads(text)["key"])] = record
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # the event's own entry names what was altered
    found = dict(Key.objects.values_list("vkey", "key_id"))
    for vkey, key_id in found.items():
        if vkey not in told:
            yield Problem(Key._meta.db_table, key_id, "This key is on record, but no event added it.")
    for vkey, record in told.items():
        if vkey not in found:
            yield Problem(JournalEvent._meta.db_table, record, "The key that this event added is no longer on record.")


def unjournalled_rows() -> Iterator[Problem]:
    """Rows that were written past the triggers, and waiting rows that were never written."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for shape in (each for each in shapes() if each.table in present):
            hid = shape.text_of(shape.key, "r.", connection.vendor)
            cursor.execute(
                f'SELECT {hid} FROM "{shape.table}" r WHERE {unjournalled(shape, connection.vendor)} LIMIT {MOST}',  # noqa: S608 - our own names
                [shape.table, shape.table],
            )
            for (record,) in cursor.fetchall():
                yield Problem(shape.table, record, "The row was inserted past the journal.")
            cursor.execute(
                f'SELECT o.hid FROM "{Outbox._meta.db_table}" o WHERE o.tbl = %s AND NOT EXISTS '  # noqa: S608 - our own names
                f'(SELECT 1 FROM "{shape.table}" r WHERE {hid} = o.hid) LIMIT {MOST}',
                [shape.table],
            )
            for (record,) in cursor.fetchall():
                yield Problem(shape.table, record, "The row waits for the journal but was removed.")


def chain_breaks() -> Iterator[Problem]:
    """Entries that do not follow their object's entry before."""
    table = Entry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.tbl, e.hid, e.idx FROM {table} e LEFT JOIN {table} b ON b.obj = e.obj AND b.n = e.n - 1 "  # noqa: S608 - our own names
            f"WHERE (e.n = 1 AND e.prev <> '') OR (e.n <> 1 AND (b.idx IS NULL OR b.idx >= e.idx OR e.prev <> {_hex('b.leaf_hash')})) "
            f"LIMIT {MOST}"
        )
        for tbl, hid, index in cursor.fetchall():
            yield Problem(tbl, hid, "This does not follow the object's entry before it.", field="prev", index=index)


def _hex(column: str) -> str:
    return f"lower(hex({column}))" if connection.vendor == "sqlite" else f"encode({column}, 'hex')"


def drifted() -> Iterator[Problem]:
    """Nouns whose row is not what their last history row says: changed, removed or inserted without history."""
    present = set(connection.introspection.table_names())
    for shape in shapes():
        if shape.kind == "history" and {shape.table, shape.noun._meta.db_table} <= present:
            yield from _drifted(shape)


def _drifted(shape: Shape) -> Iterator[Problem]:
    noun, table = shape.noun._meta.db_table, shape.table
    key = shape.object_field.column
    kept = {field.column for field in shape.model._meta.concrete_fields}
    columns = [str(field.column) for field in shape.noun._meta.concrete_fields if field.column in kept and field.column != key]
    differs = "IS NOT" if connection.vendor == "sqlite" else "IS DISTINCT FROM"
    record = shape.text_of(shape.object_field, "q.", connection.vendor)
    last = f'(SELECT MAX(l.history_id) FROM "{table}" l WHERE l."{key}" = q."{key}")'  # noqa: S608 - our own names
    flags = ", ".join(f'CASE WHEN q."{column}" {differs} h."{column}" THEN 1 ELSE 0 END' for column in columns)
    changed = " OR ".join(f'q."{column}" {differs} h."{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {record}, CASE WHEN h.history_id IS NULL OR h.history_type = '-' THEN 1 ELSE 0 END, {flags} "  # noqa: S608 - our own names
            f'FROM "{noun}" q LEFT JOIN "{table}" h ON h.history_id = {last} '
            f"WHERE h.history_id IS NULL OR h.history_type = '-' OR {changed} LIMIT {MOST}"
        )
        for name, unknown, *flagged in cursor.fetchall():
            if unknown:
                yield Problem(noun, name, "This exists, but its history does not say so.")
                continue
            for column, flag in zip(columns, flagged, strict=True):
                if flag:
                    yield Problem(noun, name, "The value is not the one of its last history row.", field=column)
        cursor.execute(
            f"SELECT {record} FROM \"{table}\" q WHERE q.history_id = {last} AND q.history_type <> '-' "  # noqa: S608 - our own names
            f'AND NOT EXISTS (SELECT 1 FROM "{noun}" x WHERE x."{key}" = q."{key}") LIMIT {MOST}'
        )
        for (name,) in cursor.fetchall():
            yield Problem(noun, name, "This was removed without a trace in its history.")


def repeated_salts() -> Iterator[Problem]:
    """Two commitments with one salt could be compared; each salt is used once."""
    table = Secret._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT tbl, hid, field FROM {table} WHERE salt IN (SELECT salt FROM {table} GROUP BY salt HAVING COUNT(*) > 1) LIMIT {MOST}"  # noqa: S608 - our own names
        )
        for tbl, hid, field in cursor.fetchall():
            yield Problem(tbl, hid, "The salt of this value is used twice.", field=field)
