"""Rows changed behind the application's back, in raw SQL with every guard dropped: verification names the row, each time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from stewardship.journal import leaf, merkle
from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.errors import JournalStopped, KeyMissing
from stewardship.journal.findings import GOOD, TAMPERED, UNDECIDED, Report
from stewardship.journal.guards import check_guards, drop_guards, install_guards
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Outbox, Secret, Tile, note_event
from stewardship.journal.note import Signer, TreeHead, sign
from stewardship.journal.publish import latest, read_tile
from stewardship.journal.save import save
from stewardship.journal.sequence import sequence, settle
from stewardship.journal.verify import verify_database
from stewardship.people.models import User
from stewardship.regions.models import Region

HISTORY = "stewardship_historicalregion"
NOUN = "stewardship_region"


def sql(statement: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def value(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return row[0] if row else None


@pytest.fixture
def regions(db: None) -> list[Region]:
    """Four regions with six history rows, a person and an event: sequenced, signed, guards gone."""
    with acting(SYSTEM, "The tree begins."):
        made = [Region(code=f"r{number}", name=f"Region {number}") for number in range(4)]
        for number, region in enumerate(made):
            region.parent = made[0] if number else None
            region.save()
        for region in made[1:3]:
            region.name += " renamed"
            region.save()
        User.objects.create_user("erin", "erin@bank.example", "correct horse battery", full_name="Erin Example")
        note_event("test.began", {"rows": 6}, actor=SYSTEM)
    settle()
    assert verify_database().code == GOOD
    drop_guards()
    return made


def row_of(region: Region) -> int:
    return int(value(f"SELECT MAX(history_id) FROM {HISTORY} WHERE code = %s", region.code))


def named(report: Report) -> set[tuple[str, str]]:
    return {(problem.table, problem.record) for problem in report.problems if "guard" not in problem.text}


def checked(table: str, record: Any, field: str = "") -> Report:
    """Put the guards back, as a careful intruder would, and verify."""
    install_guards()
    report = verify_database()
    drop_guards()
    assert report.code == TAMPERED
    assert (table, str(record)) in named(report), [str(problem) for problem in report.problems]
    if field:
        assert field in {problem.field for problem in report.problems}
    return report


@pytest.mark.parametrize(
    ("column", "new", "field"),
    [
        ("name", "Elsewhere", "name"),
        ("code", "zz", "code"),
        ("language", "xx", "language"),
        ("practice", True, "practice"),
        ("parent_id", None, "parent_id"),
        ("history_date", "2020-01-01 00:00:00+00:00", "at"),
        ("history_type", "-", "op"),
        ("history_user_id", "11111111111141118111111111111111", "actor"),
        ("history_change_reason", "Another reason.", "reason"),
        ("id", "11111111111141118111111111111111", "obj"),
    ],
)
def test_each_column_of_a_history_row(regions: list[Region], column: str, new: Any, field: str) -> None:
    record = row_of(regions[3])
    sql(f"UPDATE {HISTORY} SET {column} = %s WHERE history_id = %s", new, record)
    checked(HISTORY, record, field)


def test_a_personal_value(regions: list[Region]) -> None:
    record = value("SELECT MAX(history_id) FROM stewardship_historicaluser WHERE username = 'erin'")
    sql("UPDATE stewardship_historicaluser SET email = 'mallory@bank.example' WHERE history_id = %s", record)
    checked("stewardship_historicaluser", record, "email")


def test_a_salt_that_was_removed_or_used_twice(regions: list[Region]) -> None:
    record = value("SELECT MAX(history_id) FROM stewardship_historicaluser WHERE username = 'erin'")
    salt = Secret.objects.get(tbl="stewardship_historicaluser", hid=str(record), field="email").salt
    Secret.objects.filter(tbl="stewardship_historicaluser", hid=str(record), field="full_name").update(salt=salt)
    checked("stewardship_historicaluser", record, "full_name")
    Secret.objects.filter(tbl="stewardship_historicaluser", hid=str(record), field="email").delete()
    checked("stewardship_historicaluser", record, "email")


def test_a_fact(regions: list[Region]) -> None:
    event = JournalEvent.objects.get(kind="test.began")
    sql("UPDATE journal_event SET detail = %s WHERE id = %s", '{"rows": 6}', event.pk.hex if connection.vendor == "sqlite" else event.pk)
    checked("journal_event", event.pk, "detail")  # one space more in a document is a change


def test_two_rows_swapped(regions: list[Region]) -> None:
    one, two = row_of(regions[1]), row_of(regions[2])
    sql(f"UPDATE {HISTORY} SET history_id = 999999 WHERE history_id = %s", one)
    sql(f"UPDATE {HISTORY} SET history_id = %s WHERE history_id = %s", one, two)
    sql(f"UPDATE {HISTORY} SET history_id = %s WHERE history_id = 999999", two)
    report = checked(HISTORY, one)
    assert (HISTORY, str(two)) in named(report)


def _insert_copy(record: int) -> int:
    names = [field.column for field in Region.history.model._meta.concrete_fields if field.column != "history_id"]  # type: ignore[attr-defined]
    columns = ", ".join(names)
    sql(f"INSERT INTO {HISTORY} (history_id, {columns}) SELECT 777777, {columns} FROM {HISTORY} WHERE history_id = %s", record)
    return 777777


def test_a_row_inserted_past_the_triggers(regions: list[Region]) -> None:
    record = _insert_copy(row_of(regions[0]))
    checked(HISTORY, record)


def test_a_row_inserted_with_a_forged_history_is_unlike_its_noun(regions: list[Region]) -> None:
    install_guards()
    record = _insert_copy(int(value(f"SELECT MIN(history_id) FROM {HISTORY} WHERE code = 'r1'")))
    settle()  # the triggers took it for a row of ours
    assert record
    checked(NOUN, regions[1].pk, "name")


@pytest.mark.parametrize("which", [0, 2, 3])
def test_a_row_deleted(regions: list[Region], which: int) -> None:
    record = row_of(regions[which])
    sql(f"DELETE FROM {HISTORY} WHERE history_id = %s", record)
    checked(HISTORY, record)


def test_a_row_deleted_before_it_was_sequenced(regions: list[Region]) -> None:
    install_guards()
    with acting(SYSTEM):
        regions[3].language = "ja"
        regions[3].save()
    record = row_of(regions[3])
    drop_guards()
    sql(f"DELETE FROM {HISTORY} WHERE history_id = %s", record)
    checked(HISTORY, record)
    settle()
    checked(HISTORY, record)


def test_a_noun_changed_removed_or_made_without_history(regions: list[Region]) -> None:
    sql(f"UPDATE {NOUN} SET name = 'Silently' WHERE code = 'r1'")
    checked(NOUN, regions[1].pk, "name")
    sql(f"DELETE FROM {NOUN} WHERE code = 'r2'")
    checked(NOUN, regions[2].pk)
    other = "22222222222242228222222222222222"
    columns = "code, name, language, practice, parent_id"
    sql(f"INSERT INTO {NOUN} (id, {columns}) SELECT %s, 'new', name, language, practice, parent_id FROM {NOUN} WHERE code = 'r1'", other)
    checked(NOUN, "22222222-2222-4222-8222-222222222222")


def entry_of(region: Region) -> Entry:
    return Entry.objects.get(tbl=HISTORY, hid=str(row_of(region)))


def test_the_payload_alone(regions: list[Region]) -> None:
    entry = entry_of(regions[1])
    sql("UPDATE journal_entry SET payload = %s WHERE idx = %s", entry.payload.replace("renamed", "reNamed"), entry.index)
    checked(HISTORY, entry.hid, "name")


@pytest.mark.parametrize("payload", ["", "[]", "{}", "null", "{not json", "[" * 9_000])
def test_a_payload_that_is_no_leaf(regions: list[Region], payload: str) -> None:
    entry = entry_of(regions[1])
    sql("UPDATE journal_entry SET payload = %s WHERE idx = %s", payload, entry.index)
    checked(HISTORY, entry.hid)


def test_a_payload_in_another_spelling(regions: list[Region]) -> None:
    entry = entry_of(regions[1])
    sql("UPDATE journal_entry SET payload = %s WHERE idx = %s", entry.payload + " ", entry.index)
    checked(HISTORY, entry.hid)


def test_the_leaf_hash_alone(regions: list[Region]) -> None:
    entry = entry_of(regions[1])
    sql("UPDATE journal_entry SET leaf_hash = %s WHERE idx = %s", b"\0" * 32, entry.index)
    checked(HISTORY, entry.hid)


@pytest.mark.parametrize(("column", "new"), [("obj", "elsewhere"), ("n", 99), ("prev", "00" * 32), ("tbl", "no_such_table")])
def test_each_column_of_an_entry(regions: list[Region], column: str, new: Any) -> None:
    entry = entry_of(regions[1])
    sql(f"UPDATE journal_entry SET {column} = %s WHERE idx = %s", new, entry.index)
    checked(HISTORY, entry.hid)


def test_a_tile_alone(regions: list[Region]) -> None:
    entry = entry_of(regions[1])
    data = bytearray(Tile.objects.get(level=0, index=0).data)
    data[entry.index * 32] ^= 1
    sql("UPDATE journal_tile SET data = %s WHERE level = 0", bytes(data))
    checked(HISTORY, entry.hid)


def test_an_entry_removed_from_the_middle_and_from_the_end(regions: list[Region]) -> None:
    entry = entry_of(regions[1])
    sql("DELETE FROM journal_entry WHERE idx = %s", entry.index)
    checked(HISTORY, entry.hid)
    last = Entry.objects.order_by("-index")[0]
    sql("DELETE FROM journal_entry WHERE idx = %s", last.index)
    checked(last.tbl, last.hid)


def rewrite(change: Callable[[dict[str, Any]], None], entry: Entry, *, resign: bool = True) -> None:
    """Change one leaf and make everything after it fit again: hashes, chains, tiles, checkpoint, signature."""
    document = json.loads(entry.payload)
    change(document)
    payload = leaf.canonical(document)
    sql("UPDATE journal_entry SET payload = %s, leaf_hash = %s WHERE idx = %s", payload.decode(), merkle.leaf_hash(payload), entry.index)
    rebuild_tree(resign=resign)


def rebuild_tree(*, resign: bool = True, signer: Signer | None = None) -> None:
    last: dict[str, tuple[str, int]] = {}
    hashes = []
    for entry in Entry.objects.order_by("index"):
        document = json.loads(entry.payload)
        document["prev"], n = last.get(entry.obj, ("", 0))
        document["n"] = n + 1
        payload = leaf.canonical(document)
        hashed = merkle.leaf_hash(payload)
        last[entry.obj] = (hashed.hex(), n + 1)
        hashes.append(hashed)
        sql(
            "UPDATE journal_entry SET payload = %s, leaf_hash = %s, prev = %s, n = %s WHERE idx = %s",
            payload.decode(), hashed, document["prev"], n + 1, entry.index,
        )  # fmt: skip
    Tile.objects.all().delete()
    for level, index, data in merkle.append(0, hashes, {}):
        Tile.objects.create(level=level, index=index, data=data)
    root = merkle.Tree(len(hashes), read_tile).root()
    head = TreeHead(settings.JOURNAL_ORIGIN, len(hashes), root)
    keys = [signer] if signer else [Signer.parse(path.read_text()) for path in Path(settings.KEY_FOLDER).rglob("*.key")]
    sql("DELETE FROM journal_checkpoint")
    note = sign(str(head), keys) if resign else ""
    Checkpoint.objects.create(size=len(hashes), root=root.hex(), made_at="2026-01-01T00:00:00Z", note=note)


def test_row_payload_leaf_tiles_root_and_checkpoint_together(regions: list[Region], tmp_path: Path) -> None:
    """The strongest case: database and signing key in one hand. Only what lies outside can tell, and it names the row."""
    saved = tmp_path / "saved"
    assert save(saved) == latest().size  # type: ignore[union-attr]
    note = (saved / "checkpoint").read_text()
    entry = entry_of(regions[1])
    sql(f"UPDATE {HISTORY} SET name = 'Elsewhere' WHERE history_id = %s", entry.hid)
    sql(f"UPDATE {NOUN} SET name = 'Elsewhere' WHERE code = 'r1'")
    rewrite(lambda document: document["f"].update(name="Elsewhere"), entry)
    checked(HISTORY, entry.hid)  # against the mirror
    shutil.rmtree(settings.JOURNAL_FOLDER)
    install_guards()
    assert verify_database().code == UNDECIDED  # nothing outside is left to compare with
    report = verify_database(saved=saved)
    assert (report.code, named(report)) == (TAMPERED, {(HISTORY, entry.hid), ("saved checkpoint", str(Entry.objects.count()))})
    assert verify_database(checkpoint_text=note).code == TAMPERED


def test_a_row_and_every_trace_of_it_deleted(regions: list[Region], tmp_path: Path) -> None:
    save(tmp_path / "saved")
    victim = Entry.objects.order_by("-index")[0]
    table = victim.tbl
    sql(f"DELETE FROM {table} WHERE id = %s", victim.hid.replace("-", "") if connection.vendor == "sqlite" else victim.hid)
    sql("DELETE FROM journal_entry WHERE idx = %s", victim.index)
    rebuild_tree()
    checked(table, victim.hid)
    shutil.rmtree(settings.JOURNAL_FOLDER)
    report = verify_database(saved=tmp_path / "saved")
    assert (report.code, (table, victim.hid) in named(report)) == (TAMPERED, True)


def test_a_row_taken_out_of_the_middle_of_everything(regions: list[Region], tmp_path: Path) -> None:
    save(tmp_path / "saved")
    victim = entry_of(regions[0])
    sql(f"DELETE FROM {HISTORY} WHERE history_id = %s", victim.hid)
    sql("DELETE FROM journal_entry WHERE idx = %s", victim.index)
    for index in Entry.objects.filter(index__gt=victim.index).order_by("index").values_list("index", flat=True):
        sql("UPDATE journal_entry SET idx = %s WHERE idx = %s", index - 1, index)
    rebuild_tree()
    install_guards()
    report = verify_database(saved=tmp_path / "saved")
    assert (HISTORY, victim.hid) in named(report)


def test_signed_again_with_another_key(regions: list[Region]) -> None:
    rebuild_tree(signer=Signer(settings.JOURNAL_ORIGIN, b"\x01" * 32))
    checked("journal_checkpoint", Entry.objects.count(), "note")


def test_the_checkpoint_alone(regions: list[Region]) -> None:
    size = latest().size  # type: ignore[union-attr]
    sql("UPDATE journal_checkpoint SET root = %s WHERE size = %s", "00" * 32, size)
    checked("journal_checkpoint", size, "root")
    sql("UPDATE journal_checkpoint SET note = 'nonsense' WHERE size = %s", size)
    checked("journal_checkpoint", size, "note")
    sql("UPDATE journal_checkpoint SET size = size + 5 WHERE size = %s", size)
    assert verify_database().code == TAMPERED
    sql("DELETE FROM journal_checkpoint")
    shutil.rmtree(settings.JOURNAL_FOLDER)  # whose checkpoint would cover them still
    first = Entry.objects.order_by("index")[0]
    checked(first.tbl, first.hid)


def test_the_signer_refuses_an_older_database_and_a_rewritten_one(regions: list[Region]) -> None:
    size = latest().size  # type: ignore[union-attr]
    rewrite(lambda document: document["f"].update(name="Elsewhere"), entry_of(regions[1]), resign=False)
    with pytest.raises(JournalStopped, match="another history"):
        sequence()
    sql("DELETE FROM journal_entry WHERE idx >= %s", size - 2)
    rebuild_tree(resign=False)
    with pytest.raises(JournalStopped, match=f"{size} were signed before"):
        sequence()
    Tile.objects.all().update(data=b"\0" * 32 * 256)
    with pytest.raises(JournalStopped, match="do not give the root"):
        sequence()


def test_the_signer_refuses_another_origin(regions: list[Region], settings: Any) -> None:
    install_guards()
    note_event("test.more", {}, actor=SYSTEM)
    settings.JOURNAL_ORIGIN = "another.example"
    with pytest.raises(KeyMissing, match=r"no signing key for another\.example"):
        sequence()
    (Path(settings.KEY_FOLDER) / "journal" / "other.key").write_text(str(Signer("another.example", b"\x02" * 32)))
    with pytest.raises(JournalStopped, match=r"not another\.example"):
        sequence()


def test_missing_guards_are_a_finding(regions: list[Region]) -> None:
    report = verify_database()
    assert report.code == TAMPERED
    assert all("guard" in problem.text for problem in report.problems)
    install_guards()
    assert check_guards() == []
    assert verify_database().code == GOOD


def test_a_waiting_row_that_was_never_written(regions: list[Region]) -> None:
    Outbox.objects.create(tbl=HISTORY, hid="424242", obj="nobody", recorded="2026-01-01T00:00:00Z")
    checked(HISTORY, "424242")


def test_a_saved_folder_that_cannot_be_used(regions: list[Region], tmp_path: Path) -> None:
    install_guards()
    saved = tmp_path / "saved"
    save(saved)
    assert verify_database(saved=saved).code == GOOD
    assert verify_database(saved=tmp_path / "empty").code == UNDECIDED
    tile = next(path for path in (saved / "tile").rglob("*") if path.is_file())
    good = tile.read_bytes()
    tile.write_bytes(b"\0" * len(good))
    assert verify_database(saved=saved).code == UNDECIDED
    tile.write_bytes(good[:-32])
    assert verify_database(saved=saved).code == UNDECIDED
    tile.unlink()
    assert verify_database(saved=saved).code == UNDECIDED
    tile.write_bytes(good)
    note = (saved / "checkpoint").read_text()
    (saved / "checkpoint").write_text(note.replace(settings.JOURNAL_ORIGIN, "other.example", 1))
    assert verify_database(saved=saved).code == TAMPERED
    (saved / "checkpoint").write_bytes(b"\xff")
    assert verify_database(saved=saved).code == TAMPERED
    with pytest.raises(JournalStopped):
        save(saved)
    stranger = sign(note.partition("\n\n")[0] + "\n", [Signer(settings.JOURNAL_ORIGIN, b"\x05" * 32)])
    (saved / "checkpoint").write_text(stranger)
    assert verify_database(saved=saved).code == UNDECIDED
    assert verify_database(checkpoint_text=stranger).code == UNDECIDED
    assert verify_database(checkpoint_text="nonsense").code == TAMPERED


@pytest.mark.parametrize("against", ["folder", "file"])
def test_the_command_names_the_row_and_exits_1(regions: list[Region], tmp_path: Path, against: str, capsys: Any) -> None:
    install_guards()
    call_command("journal", "save", str(tmp_path / "saved"))
    target = tmp_path / "saved" if against == "folder" else tmp_path / "saved" / "checkpoint"
    call_command("journal", "verify", "--against", str(target))
    assert "everything is as it was written" in capsys.readouterr().out
    record = row_of(regions[3])
    drop_guards()
    sql(f"UPDATE {HISTORY} SET name = 'Elsewhere' WHERE history_id = %s", record)
    install_guards()
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "verify", "--against", str(target), "--json")
    report = json.loads(capsys.readouterr().out)
    assert stop.value.code == TAMPERED
    assert {"table": HISTORY, "record": str(record)}.items() <= report["problems"][0].items()
    with pytest.raises(SystemExit):
        call_command("journal", "verify")
    assert f"{HISTORY} {record} .name" in capsys.readouterr().out
