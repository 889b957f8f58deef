"""Triggers that refuse every change of what was written, and note every new row in the outbox.

They are prevention and capture, not proof: whoever owns the database can drop them. The tree is the proof, and
`check_guards` says when one is missing or altered.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from stewardship.journal.models import Checkpoint, Entry, Key, Outbox
from stewardship.journal.record import Demand
from stewardship.journal.tables import Shape, shapes

PREFIX: Final = "cnc_"
_NEVER: Final = "is append-only: what was written stays"


@dataclass(frozen=True)
class Guard:
    """One trigger as it must be: the SQL that makes it, and what the catalogue then shows."""

    name: str
    table: str
    create: tuple[str, ...]
    shown: tuple[Any, ...]


def _name(table: str, what: str) -> str:
    return f"{PREFIX}{what}_{hashlib.sha256(table.encode()).hexdigest()[:16]}"


def _append_only() -> Iterator[tuple[type[models.Model], Shape | None]]:
    for shape in shapes():
        yield shape.model, shape
    for model in (Entry, Key, Checkpoint):
        yield model, None


def _uniques(model: type[models.Model]) -> list[list[str]]:
    """Column sets that OR REPLACE would silently delete an older row for. Conditional ones are left to recursive_triggers."""
    columns = {field.name: str(field.column) for field in model._meta.concrete_fields}
    named = [[field.name] for field in model._meta.concrete_fields if field.unique]
    named += [list(names) for names in model._meta.unique_together]
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields and constraint.condition is None:
            named.append(list(constraint.fields))
    return [[columns[name] for name in names] for names in named]


def _demands(model: type[models.Model]) -> tuple[Demand, ...]:
    """What a fact's class demands of every new row."""
    found: tuple[Demand, ...] = getattr(model, "demands", ())
    return found


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _checkpoint_change() -> str:
    """A note is filled in once, after the commit; size, root and a signed note never change."""
    return "OLD.size <> NEW.size OR OLD.root <> NEW.root OR OLD.made_at <> NEW.made_at OR (OLD.note <> '' AND OLD.note <> NEW.note)"


def _sqlite(model: type[models.Model], shape: Shape | None) -> Iterator[Guard]:
    table = model._meta.db_table

    def refuse(what: str, event: str, when: str = "", because: str = f"{table} {_NEVER}") -> Guard:
        name = _name(table, what)
        condition = f" WHEN {when}" if when else ""
        sql = f'CREATE TRIGGER "{name}" BEFORE {event} ON "{table}"{condition} BEGIN SELECT RAISE(ABORT, {_quoted(because)}); END'
        return Guard(name, table, (sql,), (sql,))

    yield refuse("upd", "UPDATE", _checkpoint_change() if model is Checkpoint else "")
    yield refuse("del", "DELETE")
    # The rowid as well: where the key is no number it is a column of its own, and OR REPLACE finds its victim by it.
    taken = [" AND ".join(f'"{column}" = NEW."{column}"' for column in columns) for columns in _uniques(model)] + ["rowid = NEW.rowid"]
    yield refuse("ins", "INSERT", " OR ".join(f'EXISTS (SELECT 1 FROM "{table}" WHERE {match})' for match in taken))  # noqa: S608 - our own names
    for demand in _demands(model):
        yield refuse(f"must_{demand.name}", "INSERT", f"({demand.on('sqlite')}) IS NOT TRUE", demand.because)
    if shape is not None:
        name = _name(table, "out")
        hid = shape.text_of(shape.key, "NEW.", "sqlite")
        obj = shape.text_of(shape.object_field, "NEW.", "sqlite")
        sql = (
            f'CREATE TRIGGER "{name}" AFTER INSERT ON "{table}" BEGIN INSERT INTO "{Outbox._meta.db_table}" (tbl, hid, obj, recorded) '  # noqa: S608 - our own names
            f"VALUES ('{table}', {hid}, {obj}, strftime('%Y-%m-%d %H:%M:%f', 'now')); END"
        )
        yield Guard(name, table, (sql,), (sql,))


_ROW, _BEFORE, _INSERT, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 4, 8, 16, 32  # pg_trigger.tgtype


def _postgresql(model: type[models.Model], shape: Shape | None, schema: str) -> Iterator[Guard]:
    table = model._meta.db_table
    # SECURITY: a session's own search path could lead the outbox row, or a demand's question, to a temporary table.
    path = f"pg_catalog, {schema}, pg_temp"

    def guard(what: str, timing: str, kind: int, body: str) -> Guard:
        name = _name(table, what)
        source = f" BEGIN {body} END "
        return Guard(
            name,
            table,
            (
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $guard${source}$guard$",
                f'CREATE TRIGGER {name} {timing} ON "{table}" FOR EACH {"ROW" if kind & _ROW else "STATEMENT"} EXECUTE FUNCTION {name}()',
                # ALWAYS: also for a session that calls itself a replica.
                f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER {name}',
            ),
            (kind, "A", True, "", source, [f"search_path={path}"], False, "plpgsql", True),
        )

    never = f"RAISE EXCEPTION '{table} {_NEVER}' USING ERRCODE = 'integrity_constraint_violation';"
    if model is Checkpoint:
        yield guard("upd", "BEFORE UPDATE", _ROW | _BEFORE | _UPDATE, f"IF {_checkpoint_change()} THEN {never} END IF; RETURN NEW;")
    else:
        yield guard("upd", "BEFORE UPDATE", _ROW | _BEFORE | _UPDATE, never)
    yield guard("del", "BEFORE DELETE", _ROW | _BEFORE | _DELETE, never)
    yield guard("trn", "BEFORE TRUNCATE", _BEFORE | _TRUNCATE, never)
    for demand in _demands(model):
        refuse = f"RAISE EXCEPTION USING MESSAGE = {_quoted(demand.because)}, ERRCODE = 'integrity_constraint_violation';"
        body = f"IF ({demand.on('postgresql')}) IS NOT TRUE THEN {refuse} END IF; RETURN NEW;"
        yield guard(f"must_{demand.name}", "BEFORE INSERT", _ROW | _BEFORE | _INSERT, body)
    if shape is not None:
        hid = shape.text_of(shape.key, "NEW.", "postgresql")
        obj = shape.text_of(shape.object_field, "NEW.", "postgresql")
        insert = (
            f'INSERT INTO "{Outbox._meta.db_table}" (tbl, hid, obj, recorded) '  # noqa: S608 - our own names
            f"VALUES ('{table}', {hid}, {obj}, clock_timestamp()); RETURN NULL;"
        )
        yield guard("out", "AFTER INSERT", _ROW | _INSERT, insert)


def _schema(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        return str(cursor.fetchone()[0])


def _wanted(connection: BaseDatabaseWrapper) -> dict[str, Guard]:
    make = _sqlite if connection.vendor == "sqlite" else functools.partial(_postgresql, schema=_schema(connection))
    present = set(connection.introspection.table_names())
    if Outbox._meta.db_table not in present:
        return {}
    return {guard.name: guard for model, shape in _append_only() if model._meta.db_table in present for guard in make(model, shape)}


def _found(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """Our triggers as the database holds them: name → (table, what it does)."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{PREFIX}%"])
        else:
            # Everything that decides whether and how it fires: no WHEN, no column list, this function in this schema, as we wrote it.
            cursor.execute(
                "SELECT t.tgname, c.relname, t.tgtype, t.tgenabled, t.tgqual IS NULL, t.tgattr::text, "
                "p.prosrc, p.proconfig, p.prosecdef, l.lanname, p.proname = t.tgname AND p.pronamespace = c.relnamespace "
                "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
                "JOIN pg_language l ON l.oid = p.prolang WHERE t.tgname LIKE %s AND pg_table_is_visible(c.oid)",
                [f"{PREFIX}%"],
            )
        return {name: (table, _plain(shown)) for name, table, *shown in cursor.fetchall()}


def _plain(shown: list[Any]) -> tuple[Any, ...]:
    return tuple(item.decode() if isinstance(item, bytes) else item for item in shown)


def check_guards(using: str = "default") -> list[str]:
    """What is wrong with the guards, one sentence each; empty when every table is guarded as it must be."""
    connection = connections[using]
    found = _found(connection)
    problems = []
    for guard in _wanted(connection).values():
        table, shown = found.get(guard.name, ("", ()))
        if not table:
            problems.append(f"{guard.table}: the guard {guard.name} is missing.")
        elif (table, shown) != (guard.table, guard.shown):
            problems.append(f"{guard.table}: the guard {guard.name} was altered or switched off.")
    return problems


def guards_removable(using: str = "default") -> bool:
    """Whether the account the portal runs under could drop the guards itself (always so on SQLite)."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class WHERE relname = %s", [Entry._meta.db_table])
        row = cursor.fetchone()
    return bool(row and row[0])


def install_guards(using: str = "default") -> list[str]:
    """Make every guard right; the problems that were found before."""
    connection = connections[using]
    problems = check_guards(using)
    if problems:
        found, wanted = _found(connection), _wanted(connection)
        with connection.cursor() as cursor:
            for guard in wanted.values():
                if found.get(guard.name) == (guard.table, guard.shown):
                    continue
                if guard.name in found:
                    _drop(connection, cursor, guard.name, found[guard.name][0])
                for statement in guard.create:
                    cursor.execute(statement)
    return problems


def drop_guards(using: str = "default") -> None:
    """Remove every guard, so that a migration can rebuild tables; `install_guards` puts them back."""
    connection = connections[using]
    found = _found(connection)
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for name, (table, _) in found.items():
            _drop(connection, cursor, name, table)


def _drop(connection: BaseDatabaseWrapper, cursor: Any, name: str, table: str) -> None:
    if connection.vendor == "sqlite":
        cursor.execute(f'DROP TRIGGER "{name}"')
    else:
        cursor.execute(f'DROP TRIGGER {name} ON "{table}"')


def missed_rows(using: str = "default") -> dict[str, list[str]]:
    """Rows that have neither an entry nor a place in the outbox: table → their records."""
    return {table: [hid for (hid,) in rows] for table, rows in _missed(connections[using], objects=False)}


def enqueue_missed(using: str = "default", leave: Mapping[str, Collection[str]] | None = None) -> dict[str, list[str]]:
    """Put the missed rows into the outbox, but those of `leave`: table → the records that were put there."""
    connection = connections[using]
    clock = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')" if connection.vendor == "sqlite" else "clock_timestamp()"
    entered: dict[str, list[str]] = {}
    for table, rows in list(_missed(connection, objects=True)):
        left = set((leave or {}).get(table, ()))
        values = [(table, hid, obj) for hid, obj in rows if hid not in left]
        if values:
            with connection.cursor() as cursor:
                cursor.executemany(
                    f'INSERT INTO "{Outbox._meta.db_table}" (tbl, hid, obj, recorded) VALUES (%s, %s, %s, {clock})',  # noqa: S608 - our own names
                    values,
                )
            entered[table] = [hid for _table, hid, _obj in values]
    return entered


def _missed(connection: BaseDatabaseWrapper, *, objects: bool) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    present = set(connection.introspection.table_names())
    if not {Outbox._meta.db_table, Entry._meta.db_table} <= present:
        return
    with connection.cursor() as cursor:
        for shape in (each for each in shapes() if each.table in present):
            wanted = [shape.key, shape.object_field] if objects else [shape.key]
            columns = ", ".join(shape.text_of(field, "r.", connection.vendor) for field in wanted)
            cursor.execute(
                f'SELECT {columns} FROM "{shape.table}" r WHERE {unjournalled(shape, connection.vendor)} ORDER BY r."{shape.key.column}"',  # noqa: S608 - our own names
                [shape.table, shape.table],
            )
            if rows := cursor.fetchall():
                yield shape.table, rows


def unjournalled(shape: Shape, vendor: str) -> str:
    """SQL condition on `r`: no entry and no outbox row. Takes the table's name as a parameter, twice."""
    hid = shape.text_of(shape.key, "r.", vendor)
    return " AND ".join(
        f'NOT EXISTS (SELECT 1 FROM "{table}" x WHERE x.tbl = %s AND x.hid = {hid})'  # noqa: S608 - our own names
        for table in (Entry._meta.db_table, Outbox._meta.db_table)
    )
