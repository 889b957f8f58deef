"""Keys: those that nobody of ours added, those that are gone, and whom an auditor trusts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from governance.audits import trust
from stewardship.journal import keys as journal_keys
from stewardship.journal.acting import SYSTEM
from stewardship.journal.errors import KeyMissing
from stewardship.journal.findings import GOOD, TAMPERED, UNDECIDED, USAGE
from stewardship.journal.models import JournalEvent, note_event
from stewardship.journal.note import NoteError, NotTrusted, Signer, TreeHead, open_checkpoint, sign
from stewardship.journal.offline import read_trust
from stewardship.journal.save import save
from stewardship.journal.sequence import settle
from stewardship.journal.verify import verify_database
from tests.stewardship.behind import sql, told, unguarded

STRANGER = Signer("stranger.example", b"\x07" * 32)


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
