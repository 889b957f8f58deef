"""What was written stays: every way to change it is refused by the database itself, and a missing guard is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models.signals import post_migrate, pre_migrate

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.findings import GOOD
from stewardship.journal.guards import check_guards, drop_guards, guards_removable, install_guards
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Key, Outbox, note_event
from stewardship.journal.record import Demand
from stewardship.journal.sequence import settle
from stewardship.journal.tables import shapes
from stewardship.journal.verify import verify_database
from stewardship.regions.models import Region

HISTORY = "stewardship_historicalregion"


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def region(db: None) -> Region:
    with acting(SYSTEM, "a region"):
        region = Region(code="one", name="One")
        region.save()
    note_event("test.event", {"a": 1}, actor=SYSTEM)
    settle()
    return region


def test_every_governed_table_is_guarded(db: None) -> None:
    assert check_guards() == []
    assert len(shapes()) > 20
    assert {"journal_event", HISTORY} <= {shape.table for shape in shapes()}


@pytest.mark.parametrize("model", [Region.history.model, JournalEvent, Entry, Key])  # type: ignore[attr-defined]
def test_update_and_delete_are_refused(region: Region, model: type[models.Model]) -> None:
    table, column = model._meta.db_table, model._meta.pk.column  # type: ignore[union-attr]
    count = model._base_manager.count()
    for statement in (f'UPDATE "{table}" SET "{column}" = "{column}"', f'DELETE FROM "{table}"'):
        with pytest.raises(DatabaseError, match="append-only"):
            sql(statement)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model._base_manager.all().delete()
    assert model._base_manager.count() == count > 0


def test_a_checkpoint_takes_its_note_once_and_nothing_else(region: Region) -> None:
    size = Checkpoint.objects.get().size
    for change in ("root = 'x'", "size = size + 1", "note = 'another'", "note = ''", "made_at = '2020-01-01 00:00:00+00:00'"):
        with pytest.raises(DatabaseError, match="append-only"):
            sql(f"UPDATE journal_checkpoint SET {change} WHERE size = %s", size)
    sql("UPDATE journal_checkpoint SET cosignatures = 'a witness' WHERE size = %s", size)


def test_insert_or_replace_is_refused(region: Region) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("needs SQLite: INSERT OR REPLACE")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = OFF")  # an intruder's own connection
    for table, key in ((HISTORY, "history_id"), ("journal_event", "id"), ("journal_entry", "idx")):
        with pytest.raises(DatabaseError, match="append-only"):
            sql(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {key} = (SELECT MAX({key}) FROM {table})")
    columns = "n, tbl, hid, obj, prev, payload, leaf_hash"
    with pytest.raises(DatabaseError, match="append-only"):  # another key, but the same row of the record
        sql(f"INSERT OR REPLACE INTO journal_entry (idx, {columns}) SELECT 99999, {columns} FROM journal_entry WHERE idx = 0")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = ON")


def test_truncate_and_the_replica_role_are_refused(region: Region) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: TRUNCATE and the replica role")
    with pytest.raises(DatabaseError, match="append-only"):
        sql(f"TRUNCATE {HISTORY} CASCADE")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE {HISTORY} SET name = 'x'")
    sql(f"ALTER TABLE {HISTORY} DISABLE TRIGGER ALL")
    assert len(check_guards()) == 4
    assert len(install_guards()) == 4
    assert check_guards() == []


def test_history_and_facts_reach_the_outbox_with_their_object(db: None) -> None:
    Outbox.objects.all().delete()
    with acting(SYSTEM, "why"):
        region = Region(code="one", name="One")
        region.save()
    event = note_event("test.event", {}, actor=SYSTEM)
    assert list(Outbox.objects.order_by("seq").values_list("tbl", "hid", "obj")) == [
        (HISTORY, str(region.history.get().pk), str(region.pk)),  # type: ignore[attr-defined]
        ("journal_event", str(event.pk), str(event.pk)),
    ]


def test_a_fact_s_demands_are_held_by_the_database_itself(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule between rows, read before the insert; unknown is a refusal."""
    demand = Demand("region", "This event's region isn't there.", 'EXISTS (SELECT 1 FROM stewardship_region r WHERE r.code = NEW."kind")')
    length = Demand("length", "An event says something.", "length(NULLIF(NEW.\"kind\", 'one')) > 0", 'char_length(NEW."kind") > 0')
    monkeypatch.setattr(JournalEvent, "demands", (demand, length))
    assert [problem.partition(" cnc_")[2].split("_")[1] for problem in install_guards()] == ["region", "length"]
    with pytest.raises(IntegrityError, match="This event's region isn't there"), transaction.atomic():
        note_event("elsewhere", {}, actor=SYSTEM)
    if connection.vendor == "sqlite":  # each database is asked in its own words; here they give NULL
        with pytest.raises(IntegrityError, match="An event says something"), transaction.atomic():
            note_event("one", {}, actor=SYSTEM)
    else:
        note_event("one", {}, actor=SYSTEM)
    assert check_guards() == []


def test_a_rolled_back_row_leaves_nothing_behind(db: None) -> None:
    before = Outbox.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        note_event("test.event", {}, actor=SYSTEM)
        raise RuntimeError
    assert Outbox.objects.count() == before


def test_missing_and_altered_guards_are_named(db: None, capsys: Any) -> None:
    name = next(name for name in _triggers() if name.startswith("cnc_del_"))
    table = _triggers()[name]
    _drop(name, table)
    assert check_guards() == [f"{table}: the guard {name} is missing."]
    assert [message.id for message in run_checks(databases=["default"]) if message.id == "journal.W001"] == ["journal.W001"]
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "guards")
    assert stop.value.code == 1
    if connection.vendor == "sqlite":
        sql(f'CREATE TRIGGER "{name}" BEFORE DELETE ON "{table}" BEGIN SELECT 1; END')
        assert check_guards() == [f"{table}: the guard {name} was altered or switched off."]
    call_command("journal", "guards", "--install")
    assert check_guards() == []
    assert JournalEvent.objects.filter(kind="journal.guards.installed", detail__contains=name).exists()
    call_command("journal", "guards", "--install")
    call_command("journal", "guards")
    assert "0 guards were put right." in capsys.readouterr().out
    assert guards_removable()


def _triggers() -> dict[str, str]:
    from stewardship.journal.guards import _found

    return {name: table for name, (table, _) in _found(connection).items()}


def _drop(name: str, table: str) -> None:
    sql(f'DROP TRIGGER "{name}"' + (f' ON "{table}"' if connection.vendor == "postgresql" else ""))


def _migrate(change: Any) -> None:
    """What `migrate` does around a migration, with a real schema editor."""
    config = apps.get_app_config("stewardship")
    plan = [(type("Step", (), {"app_label": "stewardship", "name": "0042_test"})(), False)]
    pre_migrate.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default", plan=plan, apps=apps)
    with connection.schema_editor() as editor:
        change(editor)
    post_migrate.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default", plan=plan, apps=apps)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Region.history.model, Outbox, Entry, JournalEvent])  # type: ignore[attr-defined]
def test_a_migration_that_rebuilds_a_table_keeps_guards_and_catches_up(model: type[models.Model]) -> None:
    """SQLite rebuilds the whole table for an altered column, and would lose its triggers without a word."""
    with acting(SYSTEM, "before"):
        region = Region(code="one", name="One")
        region.save()
    settle()
    name = {"HistoricalRegion": "name", "JournalEvent": "kind"}.get(model.__name__, "tbl")
    old = model._meta.get_field(name)
    wide = models.CharField(max_length=200)
    wide.set_attributes_from_name(name)
    wide.model = model

    def change(editor: Any) -> None:
        editor.alter_field(model, old, wide)
        with acting(SYSTEM, "during"):  # a data migration, without guards
            Region(code="two", name="Two", parent=region).save()

    try:
        _migrate(change)
        assert check_guards() == []
        event = JournalEvent.objects.filter(kind="journal.guards.installed").latest("at")
        assert event.detail["migrations"] == ["stewardship.0042_test"]
        assert event.detail["caught_up"] == {HISTORY: 1}
        settle()
        assert verify_database().code == GOOD
    finally:
        drop_guards()
        with connection.schema_editor() as editor:
            editor.alter_field(model, wide, old)
        install_guards()


def test_a_database_without_our_tables_is_left_alone(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_: ["something_else"])
    config = apps.get_app_config("stewardship")
    post_migrate.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default", plan=[], apps=apps)
    assert check_guards() == []


def test_an_inexact_field_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from stewardship.journal.checks import exact_fields

    assert exact_fields(None) == []
    monkeypatch.setattr("stewardship.journal.checks._INEXACT", (models.BooleanField,))
    assert "HistoricalRegion" not in str(exact_fields(None))
    assert any("Region.practice is a BooleanField" in str(message.msg) for message in exact_fields(None))
