"""Values that no column of ours holds: verification and sequencing name the row, and go on."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from stewardship.journal import snapshot
from stewardship.journal.acting import SYSTEM, SYSTEM_USER_ID, acting
from stewardship.journal.findings import TAMPERED
from stewardship.journal.models import Entry, note_event
from stewardship.journal.proof import places
from stewardship.journal.sequence import settle
from stewardship.journal.tables import shape_of
from stewardship.journal.verify import verify_database
from stewardship.regions.models import Region
from tests.stewardship.behind import HISTORY, sql, told, unguarded


def only_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("needs SQLite: any bytes in any column")


MALFORMED = ["history_date = 'garbage'", "id = 'garbage'", "name = CAST(x'ff61' AS TEXT)", "language = x'ff'", "history_user_id = 'x'"]


@pytest.mark.parametrize("change", MALFORMED)
def test_a_malformed_value_names_its_row_and_no_other(journal: None, change: str) -> None:
    only_sqlite()
    record = Region.history.filter(code="r3").get().pk  # type: ignore[attr-defined]
    with unguarded():
        sql(f"UPDATE {HISTORY} SET {change} WHERE history_id = %s", record)
    report = verify_database()
    assert report.code == TAMPERED
    assert (HISTORY, str(record)) in told(report)
    assert {found for table, found in told(report) if table == HISTORY} == {str(record)}
    json.dumps(report.document())
    assert all(str(problem).encode() for problem in report.problems)


@pytest.mark.parametrize("column", ["hid", "payload", "tbl", "leaf_hash", "idx", "n", "prev"])
@pytest.mark.parametrize("value", ["CAST(x'ff61' AS TEXT)", "x'ff'", "'abc'", "9e999"])
def test_a_malformed_entry_never_stops_verification(journal: None, column: str, value: str) -> None:
    only_sqlite()
    with unguarded():
        sql(f"UPDATE journal_entry SET {column} = {value} WHERE idx = 5")
    report = verify_database()
    assert report.code == TAMPERED
    json.dumps(report.document())
    assert all(str(problem).encode() for problem in report.problems)


@pytest.mark.parametrize("hid", ["abc", "9" * 30, "1.5", ""])
def test_an_entry_of_a_row_that_cannot_be(journal: None, hid: str) -> None:
    entry = Entry.objects.filter(tbl=HISTORY).order_by("index")[2]
    with unguarded():
        sql("UPDATE journal_entry SET hid = %s WHERE idx = %s", hid, entry.index)
    report = verify_database()
    assert {(HISTORY, hid), (HISTORY, entry.hid)} <= told(report)


@pytest.mark.parametrize(
    "payload",
    ['{"f":[],"op":"+","recorded":"","schema":"","nonce":""}', '{"f":{},"op":"+","recorded":"","schema":{},"nonce":""}',
     '{"f":{"a":NaN,"b":"\\ud800"},"op":"+","recorded":"\\ud800","schema":"x","nonce":""}',
     '{"f":{"a":1.5},"op":"+","recorded":"","schema":"x","nonce":""}',
     '{"f":{"a":9007199254740993000},"op":"+","recorded":"","schema":"x","nonce":""}'],
)  # fmt: skip
@pytest.mark.parametrize("table", [HISTORY, "journal_schema"])
def test_a_payload_that_json_reads_and_no_leaf_is(journal: None, payload: str, table: str) -> None:
    entry = Entry.objects.filter(tbl=table).order_by("index")[0]
    with unguarded():
        sql("UPDATE journal_entry SET payload = %s WHERE idx = %s", payload, entry.index)
    assert (table, entry.hid) in told(verify_database())


def test_an_older_schema_whose_leaf_was_altered(journal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = shape_of(HISTORY)
    assert shape is not None
    old = shape.schema_id
    monkeypatch.setitem(shape.__dict__, "schema_id", "another")
    with unguarded():
        sql("UPDATE journal_entry SET payload = '{' WHERE tbl = 'journal_schema' AND hid = %s", old)
    report = verify_database()
    assert ("journal_schema", old) in told(report)


INSERTED = [
    ("actor_id", "'not-a-uuid'"),
    ("at", "'garbage'"),
    ("kind", "CAST(x'ff61' AS TEXT)"),
    ("id", "CAST(x'ff61' AS TEXT)"),
    ("reason", "CAST(x'ff61' AS TEXT)"),
]


@pytest.mark.parametrize(("column", "value"), INSERTED)
def test_one_malformed_row_does_not_stop_the_sequencer(journal: None, column: str, value: str) -> None:
    """With every guard on, by an account that may insert: everybody's rows are still entered, and this one is named."""
    only_sqlite()
    values = {"id": f"'{uuid4().hex}'", "at": "'2026-01-01 00:00:00'", "actor_id": f"'{SYSTEM_USER_ID.hex}'", "reason": "''"}
    values |= {"kind": "'forged'", "detail": "'{}'", column: value}
    before = note_event("test.before", {}, actor=SYSTEM)
    sql(f"INSERT INTO journal_event ({', '.join(values)}) VALUES ({', '.join(values.values())})")
    after = note_event("test.after", {}, actor=SYSTEM)
    settle()
    assert {place.state for place in places("journal_event", [str(before.pk), str(after.pk)]).values()} == {"published"}
    (entry,) = (one for one in Entry.objects.order_by("-index")[:3] if one.hid not in (str(before.pk), str(after.pk)))
    assert json.loads(entry.payload)["op"] in ("?", "x")
    report = verify_database()
    assert report.code == TAMPERED
    assert not told(report) & {("journal_event", str(before.pk)), ("journal_event", str(after.pk))}
    assert ("journal_event", entry.hid) in told(report)


def test_a_forged_outbox_row_does_not_stop_the_sequencer(journal: None) -> None:
    only_sqlite()
    sql("INSERT INTO journal_outbox (tbl, hid, obj, recorded) VALUES ('journal_event', CAST(x'ff' AS TEXT), x'00ff', 'garbage')")
    event = note_event("test.event", {"a": "plain"}, actor=SYSTEM)
    with acting(SYSTEM):
        Region(code="odd", name="Odd", parent=Region.objects.get(code="r0")).save()
    sql("UPDATE journal_outbox SET recorded = 7 WHERE hid = %s", str(event.pk))
    settle()
    assert places("journal_event", [str(event.pk)])[str(event.pk)].state == "published"


def test_undecodable_text_in_two_tables_at_once(journal: None) -> None:
    """Once texts are read leniently, a row's own bad text must not slip through as a value."""
    only_sqlite()
    sql("INSERT INTO journal_outbox (tbl, hid, obj, recorded) VALUES ('journal_event', CAST(x'ff' AS TEXT), 'o', '2026-01-01 00:00:00')")
    key = uuid4()
    plant = "INSERT INTO journal_event (id, at, actor_id, reason, kind, detail) VALUES (%s, %s, %s, '', CAST(x'ff' AS TEXT), '{}')"
    sql(plant, key.hex, timezone.now(), SYSTEM_USER_ID.hex)
    settle()
    assert json.loads(Entry.objects.get(hid=str(key)).payload)["op"] == "?"
    assert ("journal_event", str(key)) in told(verify_database())


def test_a_database_that_fails_is_no_malformed_row(journal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise OperationalError("disk I/O error")

    shape = shape_of(HISTORY)
    assert shape is not None
    monkeypatch.setattr(type(shape), "rows", fail)
    with pytest.raises(DatabaseError):
        shape.read(["1"])
    with pytest.raises(OperationalError):
        snapshot.leniently(fail)
    with pytest.raises(OperationalError):
        verify_database()
