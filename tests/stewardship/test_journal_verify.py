"""What verification finds beside altered rows: planted entries, holes, keys that nobody of ours added, folders that were emptied."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, OperationalError, connection, connections, transaction
from django.utils import timezone

from governance.audits import trust
from stewardship.journal import keys as journal_keys
from stewardship.journal import merkle, snapshot, verify
from stewardship.journal.acting import SYSTEM, SYSTEM_USER_ID, acting
from stewardship.journal.errors import KeyMissing, UnknownRecord
from stewardship.journal.findings import GOOD, TAMPERED, UNDECIDED, USAGE, Report
from stewardship.journal.frontier import Frontier
from stewardship.journal.guards import drop_guards, install_guards
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Outbox, note_event
from stewardship.journal.note import NoteError, NotTrusted, Signer, TreeHead, open_checkpoint, sign
from stewardship.journal.offline import read_trust
from stewardship.journal.proof import Prover, places
from stewardship.journal.save import save
from stewardship.journal.sequence import sequence, settle
from stewardship.journal.tables import shape_of
from stewardship.journal.verify import verify_database
from stewardship.regions.models import Region
from tests.stewardship.test_journal_process import _manage, _start

HISTORY = "stewardship_historicalregion"
STRANGER = Signer("stranger.example", b"\x07" * 32)


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def unguarded() -> Iterator[None]:
    """As somebody who owns the database: the guards come off, and go back on."""
    drop_guards()
    yield
    install_guards()


def stored(key: UUID) -> Any:
    return key.hex if connection.vendor == "sqlite" else key


def told(report: Report) -> set[tuple[str, str]]:
    return {(problem.table, problem.record) for problem in report.problems}


def region(code: str) -> Region:
    with acting(SYSTEM, "Made."):
        made = Region(code=code, name=code.title(), parent=Region.objects.filter(parent=None).first())
        made.save()
    return made


@pytest.fixture
def journal(db: None) -> None:
    """Some rows, sequenced a few at a time, so that there are several checkpoints."""
    for number in range(6):
        region(f"r{number}")
        note_event("test.event", {"n": number}, actor=SYSTEM)
        sequence()
    assert verify_database().code == GOOD


def plant_entry(index: int, record: str) -> None:
    """An entry for a row that is not there yet, so that the sequencer would take it for done."""
    sql(
        "INSERT INTO journal_entry (idx, tbl, hid, obj, n, prev, payload, leaf_hash) VALUES (%s, 'journal_event', %s, %s, 1, '', '{}', %s)",
        index, record, record, merkle.leaf_hash(b"{}"),
    )  # fmt: skip


def plant_event(key: UUID) -> None:
    sql(
        "INSERT INTO journal_event (id, at, actor_id, reason, kind, detail) VALUES (%s, %s, %s, '', 'forged.event', '{}')",
        stored(key), timezone.now(), stored(SYSTEM_USER_ID),
    )  # fmt: skip


def without_check() -> None:
    if connection.vendor == "sqlite":
        sql("PRAGMA ignore_check_constraints = ON")
    else:
        sql("ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_has_a_place")


@pytest.mark.parametrize("index", [-7, 1_000_000_000])
def test_a_fact_behind_an_entry_outside_the_tree_is_named(journal: None, index: int) -> None:
    """With every guard on: the planted entry makes the sequencer and the search for lost rows believe that the fact is entered."""
    forged = uuid4()
    if index < 0:
        without_check()
    plant_entry(index, str(forged))
    if index < 0 and connection.vendor == "sqlite":
        sql("PRAGMA ignore_check_constraints = OFF")
    plant_event(forged)
    settle()
    report = verify_database()
    assert report.code == TAMPERED
    assert told(report) == {("journal_event", str(forged))}
    assert [problem.index for problem in report.problems] == [index] * len(report.problems)
    assert places("journal_event", [str(forged)])[str(forged)].state == "unknown"
    event = JournalEvent.objects.get(kind="journal.entry.forged")
    assert event.detail == {"table": "journal_event", "record": str(forged), "entry": str(index)}
    if index < 0:
        with pytest.raises(UnknownRecord):
            Prover().proof("journal_event", str(forged))


def test_an_entry_before_the_first_is_refused_by_the_database(journal: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        plant_entry(-1, str(uuid4()))


def test_an_entry_planted_where_the_next_would_stand(journal: None) -> None:
    """Its row waits no longer than the next batch, which then cannot be written; verification says why."""
    forged, size = uuid4(), Entry.objects.count()
    plant_entry(size, str(forged))
    assert told(verify_database()) == {("journal_event", str(forged))}
    note_event("test.more", {}, actor=SYSTEM)
    with pytest.raises(IntegrityError):
        sequence()


def victim(number: int) -> Entry:
    return Entry.objects.filter(tbl="journal_event", payload__contains="test.event").order_by("index")[number]


def delete_with_entry(entry: Entry) -> None:
    with unguarded():
        sql("DELETE FROM journal_event WHERE id = %s", stored(UUID(entry.hid)))
        sql("DELETE FROM journal_entry WHERE idx = %s", entry.index)


@pytest.mark.parametrize("number", [0, 3, 5])
def test_a_fact_and_its_entry_deleted_names_it_and_no_other(journal: None, number: int) -> None:
    entry = victim(number)
    delete_with_entry(entry)
    report = verify_database()
    assert report.code == TAMPERED
    assert told(report) == {("journal_entry", str(entry.index)), ("journal_event", entry.hid)}
    assert report.entries == Entry.objects.count()


def test_entries_deleted_in_a_row_and_at_the_end(journal: None) -> None:
    last = Entry.objects.count() - 1
    lost = list(Entry.objects.filter(index__in=[3, 4, last - 1, last]))
    with unguarded():
        sql("DELETE FROM journal_entry WHERE idx IN (3, 4, %s, %s)", last - 1, last)
    report = verify_database()
    assert told(report) == {("journal_entry", "3"), ("journal_entry", str(last - 1))} | {(entry.tbl, entry.hid) for entry in lost}
    assert f"Entries {last - 1} to {last} are missing." in {problem.text for problem in report.problems}


def test_entries_and_their_tiles_deleted_with_the_mirror_left(journal: None) -> None:
    last = Entry.objects.count() - 1
    lost = Entry.objects.get(index=last)
    with unguarded():
        sql("DELETE FROM journal_tile")
        sql("DELETE FROM journal_entry WHERE idx = %s", last)
    report = verify_database()
    assert {(lost.tbl, lost.hid), ("journal_entry", str(last)), ("journal_checkpoint", "")} <= told(report)


def test_a_hole_over_two_tiles_of_which_the_first_is_gone_too(journal: None) -> None:
    for number in range(300):
        note_event("test.event", {"n": number}, actor=SYSTEM)
    settle()
    with unguarded():
        sql("DELETE FROM journal_tile WHERE level = 0 AND idx = 0")
        sql("DELETE FROM journal_entry WHERE idx BETWEEN 250 AND 260")
    report = verify_database()
    assert "Entries 250 to 260 are missing." in {problem.text for problem in report.problems}
    assert report.entries == Entry.objects.count()


def test_a_checkpoint_of_a_journal_that_never_was(journal: None) -> None:
    Checkpoint.objects.create(size=10**15, root="00" * 32, made_at=timezone.now())
    report = verify_database()
    assert report.code == TAMPERED
    assert ("journal_checkpoint", "") in told(report)


def test_a_mirror_with_more_missing_rows_than_a_report_names(journal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stewardship.journal.mirrors.MOST", 1)
    with unguarded():
        sql("DELETE FROM journal_entry WHERE idx IN (3, 4)")
    report = verify_database()
    assert [problem.index for problem in report.problems if "no longer in the journal" in problem.text] == [3]
    assert report.more == 1


def test_one_altered_copy_does_not_accuse_the_checkpoints(journal: None) -> None:
    entry = victim(1)
    with unguarded():
        sql("UPDATE journal_entry SET payload = %s WHERE idx = %s", entry.payload.replace("test.event", "test.evil"), entry.index)
    assert told(verify_database()) == {("journal_event", entry.hid)}


def test_each_wrong_root_of_many_checkpoints_is_named(journal: None) -> None:
    sizes = list(Checkpoint.objects.order_by("size").values_list("size", flat=True))
    with unguarded():
        sql("UPDATE journal_checkpoint SET root = %s WHERE size = %s", "00" * 32, sizes[2])
    assert told(verify_database()) == {("journal_checkpoint", str(sizes[2]))}


def test_a_growing_tree_has_the_root_and_the_tiles_of_a_whole_one() -> None:
    hashes = [merkle.leaf_hash(str(number).encode()) for number in range(70_000)]
    tiles = {(level, index): data for level, index, data in merkle.append(0, hashes, {})}
    tree = Frontier()
    assert tree.root() == merkle.EMPTY_ROOT
    above: dict[tuple[int, int], bytes] = {}
    for size in (1, 2, 3, 255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000):
        above.update({(level, index): found for level, index, found in tree.extend(hashes[tree.size : size])})
        assert tree.root() == merkle.Tree(size, lambda level, index, width: tiles[level, index][: width * 32]).root()
    assert set(above) == {(1, index) for index in range(273)} | {(2, 0)}
    assert all(tiles[level, index // 256][index % 256 * 32 :][:32] == found for (level, index), found in above.items())


# --- keys ---------------------------------------------------------------------------------------


def plant_key(signer: Signer) -> str:
    vkey = str(signer.verifier)
    sql("INSERT INTO journal_key (key_id, vkey, from_size, made_at) VALUES (%s, %s, 0, %s)", signer.verifier.id, vkey, timezone.now())
    return vkey


def test_a_key_put_into_the_table_is_named_and_never_trusted(journal: None) -> None:
    forger = Signer(settings.JOURNAL_ORIGIN, b"\x07" * 32)
    vkey = plant_key(forger)
    report = verify_database()
    assert report.code == TAMPERED
    assert ("journal_key", forger.verifier.id) in told(report)
    assert vkey not in trust.document()["keys"]
    assert trust.document()["keys"] == [str(key.verifier) for key in journal_keys.signers()]
    # With an event beside it, which the sequencer signs like any other, it is still no key of ours.
    note_event("journal.key.added", {"key": vkey, "from_size": 0}, actor=SYSTEM)
    settle()
    report = verify_database()
    assert (report.code, vkey in report.undecided[0]) == (UNDECIDED, True)
    assert vkey not in trust.document()["keys"]


def test_a_key_taken_out_of_the_table_is_named(journal: None) -> None:
    event = JournalEvent.objects.get(kind="journal.key.added")
    with unguarded():
        sql("DELETE FROM journal_key")
        sql("UPDATE journal_event SET detail = '{' WHERE kind = 'journal.key.added'")
    assert ("journal_event", str(event.pk)) in told(verify_database())
    with unguarded():
        sql("UPDATE journal_event SET detail = %s WHERE kind = 'journal.key.added'", json.dumps({"key": "gone"}))
    found = [problem for problem in verify_database().problems if "no longer on record" in problem.text]
    assert [UUID(problem.record) for problem in found] == [event.pk]


def test_public_halves_stay_trusted_when_a_retired_key_is_destroyed(journal: None, settings: Any) -> None:
    (first,) = journal_keys.verifiers()
    new = journal_keys.rotate(actor=SYSTEM)
    journal_keys.retire(first.id, actor=SYSTEM)
    settle()
    assert journal_keys.verifiers() == [new, first]
    folder = Path(settings.KEY_FOLDER) / "journal"
    (folder / f"{first.id}.retired").unlink()
    (folder / "other.pub").write_text(str(STRANGER.verifier))  # of another log: not ours to trust
    assert journal_keys.verifiers() == [new, first]
    assert verify_database().code == GOOD
    (folder / "other.pub").write_bytes(b"\xff")
    with pytest.raises(KeyMissing, match=r"other\.pub"):
        journal_keys.verifiers()
    assert verify_database().code == UNDECIDED


def test_without_keys_nothing_is_decided_and_with_those_of_an_auditor_it_is(
    journal: None, settings: Any, tmp_path: Path, capsys: Any
) -> None:
    saved, file = tmp_path / "saved", tmp_path / "trust.json"
    save(saved)
    file.write_text(json.dumps(trust.document()))
    settings.KEY_FOLDER = tmp_path / "elsewhere"
    assert (verify_database(saved=saved).code, verify_database(saved=saved).problems) == (UNDECIDED, [])
    call_command("journal", "verify", "--against", str(saved), "--trust", str(file))
    assert "everything is as it was written" in capsys.readouterr().out
    file.write_text(str(Signer(settings.JOURNAL_ORIGIN, b"\x09" * 32).verifier))
    for keys in (file.read_text(), ""):
        file.write_text(keys)
        with pytest.raises(SystemExit) as stop:
            call_command("journal", "verify", "--against", str(saved), "--trust", str(file))
        assert stop.value.code == UNDECIDED
    assert "undecided: The checkpoint" in capsys.readouterr().out


def test_files_that_are_no_checkpoint_and_no_trust_are_a_wrong_use(journal: None, tmp_path: Path, capsys: Any) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"\xff\xfe")
    wrong = tmp_path / "wrong"
    wrong.write_text('{"keys": 7}')
    for arguments in (["--against", str(bad)], ["--trust", str(bad)], ["--trust", str(wrong)], ["--trust", str(tmp_path / "none")]):
        with pytest.raises(SystemExit) as stop:
            call_command("journal", "verify", *arguments)
        assert stop.value.code == USAGE
    assert "cannot be read" in capsys.readouterr().err


def test_trust_is_read_from_a_document_too() -> None:
    key = STRANGER.verifier
    assert read_trust(json.dumps({"origin": "x", "keys": [str(key)]})) == [key]
    for text in ("{", '{"keys": null}', '{"keys": ["a"]}', "{}"):
        with pytest.raises(NoteError):
            read_trust(text)


def test_a_key_speaks_for_the_log_of_its_own_name_only() -> None:
    ours, theirs = Signer("ours.example", b"\x01" * 32), STRANGER
    head = TreeHead("ours.example", 3, b"\x05" * 32)
    both = [ours.verifier, theirs.verifier]
    forged = sign(str(head), [theirs])
    with pytest.raises(NotTrusted):
        open_checkpoint(forged, both)
    with pytest.raises(NotTrusted):
        open_checkpoint(forged, both, "ours.example")
    assert open_checkpoint(sign(str(head), [theirs, ours]), both) == head


# --- what lies outside ----------------------------------------------------------------------------


def test_a_mirror_or_a_memory_that_is_gone_decides_nothing(journal: None) -> None:
    folder = Path(settings.JOURNAL_FOLDER)
    memory = (folder / "signer.json").read_text()
    (folder / "signer.json").unlink()
    assert "signer.json, is lost" in verify_database().undecided[0]
    for broken in ("", "{", "[]", '{"origin": "x"}'):
        (folder / "signer.json").write_text(broken)
        assert verify_database().undecided[0].startswith("What the signer remembers cannot be read")
    (folder / "signer.json").write_text(memory.replace(settings.JOURNAL_ORIGIN, "another.example"))
    assert "another.example" in verify_database().undecided[0]
    (folder / "signer.json").write_text(memory)
    assert verify_database().code == GOOD
    (folder / "checkpoint").unlink()
    assert verify_database().undecided == ["There is no checkpoint in the mirror, though one was published."]
    shutil.rmtree(folder)
    assert len(verify_database().undecided) == 2


def test_a_newest_checkpoint_whose_signature_does_not_fit(journal: None) -> None:
    newest = Checkpoint.objects.order_by("-size")[0]
    head, _, line = newest.note.partition("\n\n")
    other = Checkpoint.objects.exclude(note="").order_by("size")[0].note.partition("\n\n")[2]
    assert line != other
    with unguarded():
        sql("UPDATE journal_checkpoint SET note = %s WHERE size = %s", f"{head}\n\n{other}", newest.size)
    assert told(verify_database()) == {("journal_checkpoint", str(newest.size))}


def test_the_signers_memory_is_a_witness(journal: None) -> None:
    path = Path(settings.JOURNAL_FOLDER) / "signer.json"
    memory = json.loads(path.read_text())
    path.write_text(json.dumps({**memory, "root": "00" * 32}))
    assert told(verify_database()) == {("the signer's memory", str(memory["size"]))}
    path.write_text(json.dumps({**memory, "size": memory["size"] + 2}))
    assert told(verify_database()) == {("journal_entry", str(memory["size"]))}


# --- while the portal goes on ----------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 300])
def test_rows_written_after_the_mirror_was_read(journal: None, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """The unfinished tile that the mirror's checkpoint needs has grown, or is full now."""
    kept = verify._memory

    def write_meanwhile(report: Report) -> Any:
        for number in range(rows):
            note_event("test.meanwhile", {"n": number}, actor=SYSTEM)
        settle()
        return kept(report)

    monkeypatch.setattr(verify, "_memory", write_meanwhile)
    report = verify_database()
    assert (report.code, report.undecided, report.problems) == (GOOD, [], [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_row_written_during_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: two writers at once")
    note_event("test.event", {}, actor=SYSTEM)
    settle()
    kept = verify._checkpoints

    def write() -> None:
        note_event("test.meanwhile", {}, actor=SYSTEM)
        settle()
        connections.close_all()

    def write_meanwhile(*arguments: Any, **options: Any) -> None:
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        kept(*arguments, **options)

    monkeypatch.setattr(verify, "_checkpoints", write_meanwhile)
    report = verify_database()
    assert (report.code, report.undecided, report.problems) == (GOOD, [], [])
    assert report.entries < Entry.objects.count()
    assert not connection.in_atomic_block


@pytest.mark.process
def test_a_portal_that_goes_on_verifies(installation: dict[str, str]) -> None:
    begun = _start("begin", installation)
    begun.communicate(timeout=120)
    assert begun.returncode == 0
    portal = _start("live", installation)
    try:
        assert portal.stdout is not None
        for _ in range(3):
            assert portal.stdout.readline() == "sequenced\n"
            done = _manage(installation, "verify")
            assert done.returncode == GOOD, done.stdout + done.stderr
        assert portal.poll() is None
    finally:
        portal.kill()
        portal.communicate(timeout=10)


# --- values that no column of ours holds ------------------------------------------------------------


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


# --- what the command says ---------------------------------------------------------------------------


def test_the_command_says_what_it_could_not_compare(journal: None, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    shape = shape_of(HISTORY)
    assert shape is not None
    monkeypatch.setitem(shape.__dict__, "schema", {**shape.schema, "f.name": "UUIDField"})
    monkeypatch.setitem(shape.__dict__, "schema_id", "another")
    call_command("journal", "verify")
    out = capsys.readouterr().out
    assert f"not compared: 6 values of {HISTORY}.name" in out
    assert "everything but 6 values is as it was written" in out
    call_command("journal", "verify", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["uncheckable"], report["incomparable"]) == (6, {f"{HISTORY}.name": 6})


@pytest.mark.django_db(transaction=True)
def test_sequencing_inside_a_transaction_is_refused_though_nothing_waits() -> None:
    settle()
    assert not Outbox.objects.exists()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        sequence()
