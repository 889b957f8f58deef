"""The journal where it seldom is: a full tile, a folder that loses files, a second process with the same key."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from stewardship.journal import keys, merkle, offline
from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.around_migrations import _after
from stewardship.journal.findings import GOOD, TAMPERED, Report
from stewardship.journal.guards import drop_guards, install_guards
from stewardship.journal.mirrors import Mirror
from stewardship.journal.models import Entry, JournalEvent, Key, Outbox, note_event
from stewardship.journal.proof import places
from stewardship.journal.publish import tile_path
from stewardship.journal.save import save
from stewardship.journal.sequence import settle
from stewardship.journal.verify import verify_database
from tests.cast import Cast


def grow(size: int) -> None:
    """Sequence events until the journal has so many entries."""
    note_event("test.event", {"n": 0}, actor=SYSTEM)
    settle()
    for number in range(Entry.objects.count(), size):
        note_event("test.event", {"n": number}, actor=SYSTEM)
    settle()
    assert Entry.objects.count() == size


def test_a_journal_that_ends_with_a_full_tile(db: None, tmp_path: Path) -> None:
    grow(merkle.TILE)
    saved = tmp_path / "saved"
    assert save(saved) == merkle.TILE
    assert (saved / "tile/0/000").stat().st_size == merkle.TILE * 32
    assert not list((saved / "tile/0").glob("*.p"))
    assert verify_database(saved=saved).code == GOOD
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE journal_tile SET data = %s WHERE level = 1", [b"\0" * 32])
    install_guards()
    report = verify_database(saved=saved)
    assert report.code == TAMPERED
    assert ("journal_tile", "1/0") in {(problem.table, problem.record) for problem in report.problems}


def test_a_row_that_waits_is_found_without_reading_all_that_wait(db: None) -> None:
    event = note_event("test.event", {"n": 1}, actor=SYSTEM)
    assert places("journal_event", [str(event.pk)])[str(event.pk)].state == "queued"
    with connection.cursor() as cursor:
        shape = connection.introspection.get_constraints(cursor, Outbox._meta.db_table)
    assert ["tbl", "hid"] in [found["columns"] for found in shape.values() if found["index"]]
    if connection.vendor == "sqlite":  # the other planner reads so small a table as a whole
        assert "journal_outbox_row" in Outbox.objects.filter(tbl="journal_event", hid=str(event.pk)).explain()


def test_tiles_of_a_long_journal_have_names_in_groups() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path(1, 5, 17) == "tile/1/005.p/17"


def test_a_saved_folder_without_its_names_still_says_which_entry(db: None, tmp_path: Path) -> None:
    grow(8)
    saved = tmp_path / "saved"
    save(saved)
    (saved / "rows.tsv").unlink()
    drop_guards()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM journal_entry WHERE idx = 7")
    install_guards()
    report = verify_database(saved=saved)
    assert report.code == TAMPERED
    assert ("journal_entry", "7") in {(problem.table, problem.record) for problem in report.problems}


def test_a_tile_that_vanishes_meanwhile_leaves_it_undecided(db: None, tmp_path: Path) -> None:
    grow(8)
    save(tmp_path)
    report = Report()
    mirror = Mirror(tmp_path, "the saved folder", report)
    mirror.open(keys.verifiers())
    (tmp_path / tile_path(0, 0, 8)).unlink()
    leaf: Any = SimpleNamespace(index=0)
    mirror.compare([(leaf, b"\1" * 32)])
    mirror.finish([])
    assert report.problems == []
    assert report.undecided == ["Tile 0 in the saved folder cannot be read."]


def test_two_processes_that_meet_the_same_key_note_it_once(db: None) -> None:
    note_event("test.event", {}, actor=SYSTEM)
    settle()
    (signer,) = keys.signers()
    before = JournalEvent.objects.count()
    keys._record(signer, SYSTEM)
    assert (Key.objects.count(), JournalEvent.objects.count()) == (1, before)


def test_after_a_migration_that_changed_nothing_nothing_is_noted(db: None) -> None:
    install_guards()
    before = JournalEvent.objects.count()
    _after(using="default")
    assert JournalEvent.objects.count() == before


def test_what_is_no_proof_is_told_as_a_document_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "proof").write_text("nothing of the kind")
    assert offline.main([str(tmp_path / "proof"), "--json"]) == TAMPERED
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"] == "tampered"
    assert "size" not in told


def test_yes_and_no_are_words(cast: Cast) -> None:
    region = cast.regions["de"]
    with acting(cast.users["frank"], "Only to try things"):
        region.practice = True
        region.save()
    settle()
    client = Client()
    client.force_login(cast.users["dana"])
    text = client.get(f"/history/stewardship.region/{region.pk}/").content.decode()
    assert "yes" in text
    assert "True" not in text
