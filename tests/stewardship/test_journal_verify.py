"""What verification finds beside altered rows: planted entries, holes, folders that were emptied, rows that come meanwhile."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from stewardship.journal import merkle, verify
from stewardship.journal.acting import SYSTEM, SYSTEM_USER_ID
from stewardship.journal.errors import UnknownRecord
from stewardship.journal.findings import GOOD, TAMPERED, Report
from stewardship.journal.frontier import Frontier
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Outbox, note_event
from stewardship.journal.proof import Prover, places
from stewardship.journal.sequence import sequence, settle
from stewardship.journal.tables import shape_of
from stewardship.journal.verify import verify_database
from tests.stewardship.behind import HISTORY, sql, stored, told, unguarded
from tests.stewardship.test_journal_process import _manage, _start


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
