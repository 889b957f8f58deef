"""What was written stays: every way to change it is refused by the database itself, and a missing guard is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models.signals import post_migrate, pre_migrate

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.findings import GOOD
from stewardship.journal.guards import check_guards, drop_guards, guards_removable, install_guards, missed_rows
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
    keys = "id, at, actor_id, reason, kind, detail"
    other = "'ffffffffffffffffffffffffffffffff', at, actor_id, 'forged', kind, detail"
    with pytest.raises(DatabaseError, match="append-only"):  # by the hidden number of the row
        sql(f"INSERT OR REPLACE INTO journal_event (rowid, {keys}) SELECT rowid, {other} FROM journal_event WHERE kind = 'test.event'")
    assert JournalEvent.objects.filter(kind="test.event").exists()
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


AGAIN = "DROP TRIGGER {name} ON journal_event; CREATE TRIGGER {name} BEFORE UPDATE"
HOLLOW = {
    "never": f"{AGAIN} ON journal_event FOR EACH ROW WHEN (false) EXECUTE FUNCTION {{name}}()",
    "one column": f"{AGAIN} OF kind ON journal_event FOR EACH ROW EXECUTE FUNCTION {{name}}()",
    "another path": "ALTER FUNCTION {name}() SET search_path = pg_temp",
    "no path": "ALTER FUNCTION {name}() RESET search_path",
    "as its owner": "ALTER FUNCTION {name}() SECURITY DEFINER",
}


@pytest.mark.postgres
@pytest.mark.parametrize("change", HOLLOW.values(), ids=HOLLOW.keys())
def test_a_guard_that_looks_whole_and_is_hollow_is_named(region: Region, change: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: conditions and settings of triggers")
    name = next(name for name, table in _triggers().items() if table == "journal_event" and name.startswith("cnc_upd_"))
    sql(change.format(name=name))
    sql(f"ALTER TABLE journal_event ENABLE ALWAYS TRIGGER {name}")
    assert check_guards() == [f"journal_event: the guard {name} was altered or switched off."]
    install_guards()
    assert check_guards() == []
    with pytest.raises(DatabaseError, match="append-only"):
        sql("UPDATE journal_event SET reason = 'forged'")


@pytest.mark.postgres
def test_a_temporary_table_swallows_no_outbox_row(region: Region) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: temporary tables come first")
    sql("CREATE TEMPORARY TABLE journal_outbox (LIKE journal_outbox INCLUDING ALL)")
    event = note_event("test.event", {}, actor=SYSTEM)
    sql("DROP TABLE pg_temp.journal_outbox")
    assert Outbox.objects.get().hid == str(event.pk)


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


def _steps() -> Any:
    return [(type("Step", (), {"app_label": "stewardship", "name": "0042_test", "operations": []})(), False)]


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
        assert event.detail["records"] == {HISTORY: [str(Region.objects.get(code="two").history.get().pk)]}  # type: ignore[attr-defined]
        settle()
        assert verify_database().code == GOOD
    finally:
        drop_guards()
        with connection.schema_editor() as editor:
            editor.alter_field(model, wide, old)
        install_guards()


def _forge(code: str) -> str:
    """A history row that no trigger saw, as an intruder writes it; its record."""
    drop_guards()
    with acting(SYSTEM):
        region = Region(code=code, name="Forged", parent=Region.objects.get(parent=None))
        region.save()
    install_guards()
    return str(region.history.get().pk)  # type: ignore[attr-defined]


def _plan(*_: Any, clean_start: bool = False, **__: Any) -> Any:
    return [] if clean_start else _steps()


@pytest.mark.parametrize("plan", [[], _steps()], ids=["nothing to do", "an upgrade"])
def test_migrate_launders_no_row_that_was_past_the_journal_before(region: Region, plan: Any, capsys: Any) -> None:
    forged = _forge("forged")
    config = apps.get_app_config("stewardship")
    for signal in (pre_migrate, post_migrate):
        signal.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default", plan=plan, apps=apps)
    settle()
    assert check_guards() == []
    assert (HISTORY, forged) in {(problem.table, problem.record) for problem in verify_database().problems}
    with pytest.raises(SystemExit):
        call_command("journal", "guards")
    assert f"{HISTORY}: 1 rows were written past the journal, the first is {forged}." in capsys.readouterr().out
    # A person who knows where it comes from enters it by name, and the journal keeps that.
    call_command("journal", "guards", "--enter-missed")
    assert JournalEvent.objects.get(kind="journal.rows.entered").detail["records"] == {HISTORY: [forged]}
    settle()
    assert verify_database().code == GOOD
    call_command("journal", "guards", "--enter-missed")
    assert JournalEvent.objects.filter(kind="journal.rows.entered").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_fails_leaves_the_guards_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django sends no post_migrate then; the portal that keeps running must not write unguarded."""

    def fails(*_: Any, **__: Any) -> None:
        with acting(SYSTEM, "during"):
            Region(code="two", name="Two").save()
        raise RuntimeError("the migration failed")

    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", _plan)
    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migrate", fails)
    with pytest.raises(RuntimeError, match="the migration failed"):
        call_command("migrate", verbosity=0)
    assert check_guards() == []
    event = JournalEvent.objects.get(kind="journal.guards.installed", detail__contains="failed")
    assert event.detail["caught_up"] == {HISTORY: 1}
    settle()
    assert verify_database().code == GOOD
    with pytest.raises(CommandError):  # before anything was taken down
        call_command("migrate", "nothing_of_ours", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_the_migration_s_own_error_is_shown_when_the_guards_cannot_come_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the migration failed")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="the migration failed"):
        patch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", _plan)
        patch.setattr("django.db.migrations.executor.MigrationExecutor.migrate", fails)
        patch.setattr("stewardship.journal.around_migrations.install_guards", fails)
        call_command("migrate", verbosity=0)
    assert "The guards could not be put back" in caplog.text
    install_guards()


def test_a_database_without_our_tables_is_left_alone(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_: ["something_else"])
    config = apps.get_app_config("stewardship")
    post_migrate.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default", plan=[], apps=apps)
    assert (check_guards(), missed_rows()) == ([], {})


def test_an_inexact_field_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from stewardship.journal.checks import exact_fields

    assert exact_fields(None) == []
    monkeypatch.setattr("stewardship.journal.checks._INEXACT", (models.BooleanField,))
    assert "HistoricalRegion" not in str(exact_fields(None))
    assert any("Region.practice is a BooleanField" in str(message.msg) for message in exact_fields(None))
