"""What leaves the database: signed once, on the disk in order, whole again after a death on any line."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from stewardship.journal import merkle
from stewardship.journal import publish as publishing
from stewardship.journal.acting import SYSTEM
from stewardship.journal.errors import JournalStopped
from stewardship.journal.findings import GOOD, UNDECIDED, USAGE
from stewardship.journal.guards import drop_guards, install_guards
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Tile, note_event
from stewardship.journal.publish import latest, mirrored_size
from stewardship.journal.sequence import sequence, settle
from stewardship.journal.signer import folder
from stewardship.journal.verify import verify_database


def events(count: int) -> None:
    for number in range(count):
        note_event("test.event", {"number": number}, actor=SYSTEM)


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def begun(db: None) -> int:
    """A published journal; its size."""
    events(5)
    settle()
    return mirrored_size()


def rewritten() -> None:
    """Another history of the same length and one more, as an intruder with the database alone makes it."""
    drop_guards()
    held = [bytes(each) for each in Entry.objects.order_by("index").values_list("leaf_hash", flat=True)]
    hashes = [b"\x01" * 32, *held[1:], b"\x02" * 32]
    Tile.objects.all().delete()
    Tile.objects.bulk_create(Tile(level=level, index=index, data=data) for level, index, data in merkle.append(0, hashes, {}))
    root = merkle.Tree(len(hashes), publishing.read_tile).root()
    Checkpoint.objects.create(size=len(hashes), root=root.hex(), made_at=Checkpoint.objects.latest("size").made_at)
    install_guards()


def test_a_second_history_is_not_signed_when_the_memory_is_lost(begun: int) -> None:
    (folder() / "signer.json").unlink()
    rewritten()
    with pytest.raises(JournalStopped, match="another history"):  # the mirror remembers too
        sequence()
    shutil.rmtree(folder())
    with pytest.raises(JournalStopped, match=r"signer\.json, is lost"):
        sequence()
    assert Checkpoint.objects.get(size=begun + 1).note == ""
    assert not (folder() / "checkpoint").exists()


@pytest.mark.parametrize("text", ['{"origin": "exam', "[]", '{"origin": "x", "size": 1, "root": "zz"}', '{"size": 1}'])
def test_a_damaged_memory_stops_the_journal(begun: int, text: str) -> None:
    (folder() / "signer.json").write_text(text)
    events(1)
    with pytest.raises(JournalStopped, match="cannot be read"):
        sequence()


def test_a_signer_is_reminded_by_a_checkpoint_that_was_kept_outside(begun: int, tmp_path: Path, capsys: Any) -> None:
    kept = tmp_path / "kept"
    kept.write_text(latest().note)  # type: ignore[union-attr]
    events(2)
    settle()
    shutil.rmtree(folder())
    events(1)
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "sequence")
    assert (stop.value.code, "journal remember" in capsys.readouterr().err) == (UNDECIDED, True)
    for text, code in (("nonsense", UNDECIDED), (None, USAGE)):
        path = tmp_path / "other"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(SystemExit) as stop:
            call_command("journal", "remember", str(path))
        assert stop.value.code == code
    call_command("journal", "remember", str(kept))
    assert JournalEvent.objects.get(kind="journal.signer.reminded").detail["size"] == begun
    settle()
    assert mirrored_size() == Entry.objects.count()
    assert verify_database().code == GOOD


def test_a_rewritten_database_does_not_continue_the_checkpoint_that_was_kept(begun: int, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(latest().note)  # type: ignore[union-attr]
    shutil.rmtree(folder())
    rewritten()
    with pytest.raises(SystemExit):
        call_command("journal", "remember", str(kept))
    assert not (folder() / "signer.json").exists()
    drop_guards()
    Checkpoint.objects.all().delete()
    with pytest.raises(SystemExit):
        call_command("journal", "remember", str(kept))


def test_whoever_does_not_want_to_wait_leaves_publishing_to_the_one_at_work(begun: int) -> None:
    events(1)
    with open(folder() / "signer.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert sequence(wait=False) == 1
        assert mirrored_size() == begun
    assert sequence(wait=False) == 0
    assert mirrored_size() == begun + 1


def test_settling_signs_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    settle()
    before = Checkpoint.objects.exclude(note="").count()
    monkeypatch.setattr("stewardship.journal.sequence.BATCH", 2)
    events(7)
    assert settle() == 7
    assert Checkpoint.objects.exclude(note="").count() == before + 1
    assert verify_database().code == GOOD


def names() -> list[str]:
    return (folder() / "rows.tsv").read_text().splitlines()


def expected() -> list[str]:
    return [f"{index}\t{tbl}\t{hid}" for index, tbl, hid in Entry.objects.order_by("index").values_list("index", "tbl", "hid")]


def test_a_death_before_the_checkpoint_doubles_no_name(begun: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = publishing.write

    def dies(path: Path, data: bytes) -> None:
        if path.name == "checkpoint":
            raise KeyboardInterrupt
        real(path, data)

    for _ in range(2):
        events(2)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(publishing, "write", dies)
            sequence()
    sequence()
    assert names() == expected()


@pytest.mark.parametrize("tail", [b"3\tjournal_ev", b"\0\0\0\0", b"4\tjournal_event\tx\n9\tjour"])
def test_what_a_death_left_at_the_end_of_the_names_is_cut(begun: int, tail: bytes) -> None:
    path = folder() / "rows.tsv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + tail)
    events(1)
    sequence()
    if tail.startswith(b"4\t"):  # a whole line is taken at its word; `--repair` writes it again
        assert names()[4] == "4\tjournal_event\tx"
        call_command("journal", "save", "--repair", str(folder()))
    assert names() == expected()


@pytest.mark.parametrize("held", [None, b"", b"nonsense\n"])
def test_names_that_are_lost_are_written_again(begun: int, held: bytes | None) -> None:
    path = folder() / "rows.tsv"
    path.unlink()
    if held is not None:
        path.write_bytes(held)
    events(1)
    sequence()
    assert names() == expected()


def test_everything_is_on_the_disk_before_the_checkpoint(begun: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut keeps what was waited for; the order of the waits is what a published checkpoint promises."""
    waited: list[str] = []
    real = publishing.os.fsync

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        waited.append(str(path.relative_to(folder())))
        real(descriptor)

    monkeypatch.setattr(publishing.os, "fsync", note)
    events(1)
    sequence()
    size = mirrored_size()
    assert waited[:2] == [".signer.json.new", "."]
    assert waited[-2:] == [".checkpoint.new", "."]
    assert set(waited[2:-2]) == {f"tile/0/000.p/.{size}.new", "tile/0/000.p", "tile/0", "tile", ".", "rows.tsv"}


def test_a_damaged_mirror_is_repaired_from_a_database_that_agrees(db: None, tmp_path: Path) -> None:
    events(1)
    settle()
    events(merkle.TILE + 3 - Entry.objects.count())
    settle()
    good = {path.relative_to(folder()): path.read_bytes() for path in folder().rglob("*") if path.is_file()}
    (folder() / "tile/0/000").write_bytes(b"")
    (folder() / "tile/0/001.p/3").write_bytes(b"")
    (folder() / "rows.tsv").write_text("nonsense\n")
    assert verify_database().code == UNDECIDED
    call_command("journal", "save", "--repair", str(folder()))
    assert {path.relative_to(folder()): path.read_bytes() for path in folder().rglob("*") if path.is_file()} == good
    assert verify_database().code == GOOD
    Tile.objects.filter(level=0, index=0).update(data=b"\0" * 32 * merkle.TILE)
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "save", "--repair", str(folder()))
    assert stop.value.code == UNDECIDED
    assert (folder() / "tile/0/000").read_bytes() == good[Path("tile/0/000")]


def test_an_old_folder_of_another_history_is_not_repaired(begun: int, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    call_command("journal", "save", str(saved))
    before = (saved / "checkpoint").read_text()
    shutil.rmtree(settings.JOURNAL_FOLDER)
    rewritten()
    with pytest.raises(SystemExit):
        call_command("journal", "save", "--repair", str(saved))
    assert (saved / "checkpoint").read_text() == before
