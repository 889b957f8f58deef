"""Is everything still as it was written? Rebuilds each leaf from the live row and follows it to the signed checkpoint.

Compared with the tree in the database, with the mirror and the signer's memory outside it, and with whatever folder or
checkpoint an auditor saved before. All of one moment, while the portal goes on. Streams; the memory needed does not grow
with the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from stewardship.journal.errors import JournalStopped, KeyMissing
from stewardship.journal.findings import Problem, Report
from stewardship.journal.guards import check_guards
from stewardship.journal.keys import verifiers
from stewardship.journal.mirrors import Mirror
from stewardship.journal.models import Checkpoint, Key, Outbox
from stewardship.journal.note import Forged, NoteError, NotTrusted, TreeHead, Verifier, open_checkpoint
from stewardship.journal.signer import folder, remembered
from stewardship.journal.snapshot import leniently, snapshot
from stewardship.journal.standing import chain_breaks, drifted, keys_on_record, repeated_salts, unjournalled_rows
from stewardship.journal.stored import few_collections
from stewardship.journal.walk import Claim, Walk


def verify_database(checkpoint_text: str | None = None, saved: Path | None = None, trusted: Iterable[Verifier] | None = None) -> Report:
    """Verify the whole database, against the mirror, a saved checkpoint and a saved folder; never raises on tampering.

    `trusted` are the keys to believe; those of the key folder when not given.
    """
    keys = None if trusted is None else list(trusted)
    return leniently(lambda: _verify(checkpoint_text, saved, keys))


def _verify(checkpoint_text: str | None, saved: Path | None, trusted: list[Verifier] | None) -> Report:
    report = Report()
    # The files before the database: whatever they hold was committed before.
    mirrors = [Mirror(folder(), "the mirror", report)]
    if saved is not None:
        mirrors.append(Mirror(saved, "the saved folder", report))
    memory = _memory(report)
    with snapshot(), few_collections():
        keys = _keys(report, trusted)
        claims = [Claim(head.size, head.root.hex(), "saved checkpoint") for head in _saved_head(checkpoint_text, keys, report)]
        for mirror in mirrors:
            mirror.open(keys)
            claims += [Claim(head.size, head.root.hex(), "saved checkpoint") for head in [mirror.head] if head]
        claims += [Claim(head.size, head.root.hex(), "the signer's memory") for head in memory]
        Walk(report, claims, mirrors).run()
        _checkpoints(report, keys, ours=trusted is None)
        _outside(report, mirrors)
        _standing(report, keys)
    return report


def _memory(report: Report) -> list[TreeHead]:
    """What the signer says it signed last, if it says anything."""
    try:
        head = remembered()
    except (ValueError, KeyError, TypeError, OSError, JournalStopped) as error:
        report.undecided.append(f"What the signer remembers cannot be read: {error}")
        return []
    if head is not None and head.origin != settings.JOURNAL_ORIGIN:
        report.undecided.append(f"The signer of this folder is that of {head.origin}, not of {settings.JOURNAL_ORIGIN}.")
        return []
    return [head] if head else []


def _keys(report: Report, trusted: list[Verifier] | None) -> list[Verifier]:
    keys, why = trusted or [], "none is given"
    if trusted is None:
        try:
            keys, why = verifiers(), "there is none in the key folder; give those you trust with --trust"
        except KeyMissing as error:
            why = error.message
    if not keys and (trusted is not None or Key.objects.exists()):
        report.undecided.append(f"No key to check signatures with: {why.rstrip('.')}.")
    return keys


def _saved_head(text: str | None, keys: list[Verifier], report: Report) -> list[TreeHead]:
    if text is None:
        return []
    try:
        return [open_checkpoint(text, keys, settings.JOURNAL_ORIGIN)]
    except NotTrusted as error:
        report.undecided.append(f"The saved checkpoint: {error}")
    except NoteError as error:
        report.add(Problem("saved checkpoint", "", str(error)))
    return []


def _checkpoints(report: Report, keys: list[Verifier], *, ours: bool) -> None:
    """Each note says its own row's size and root; the newest is signed by a key we trust."""
    newest = None
    for size, root, note in Checkpoint.objects.exclude(note="").order_by("size").values_list("size", "root", "note").iterator():
        newest = (size, note)
        try:
            head = TreeHead.parse(note.partition("\n\n")[0] + "\n")
        except NoteError as error:
            report.add(Problem("journal_checkpoint", str(size), str(error), field="note"))
            continue
        if (head.size, head.root.hex()) != (size, root):
            report.add(Problem("journal_checkpoint", str(size), "The note says another size or root than its row.", field="note"))
    if newest is None:
        if report.entries:
            report.undecided.append("No checkpoint is signed yet.")
        return
    report.published, note = newest
    if not keys:
        return  # undecided already
    try:
        open_checkpoint(note, keys, settings.JOURNAL_ORIGIN)
    except NotTrusted as error:
        # With our own keys: we would have signed it. Whoever was given keys may have been given old ones.
        if ours:
            report.add(Problem("journal_checkpoint", str(report.published), str(error), field="note"))
        else:
            report.undecided.append(f"The checkpoint of {report.published}: {error}")
    except Forged as error:
        report.add(Problem("journal_checkpoint", str(report.published), str(error), field="note"))
    except NoteError:
        pass  # reported above


def _outside(report: Report, mirrors: list[Mirror]) -> None:
    """A folder that says nothing is no witness: it may have been emptied by whoever rewrote the database."""
    if report.published and mirrors[0].absent:
        report.undecided.append("There is no checkpoint in the mirror, though one was published.")
    for mirror in mirrors[1:]:
        if mirror.absent:
            report.undecided.append("There is no checkpoint in the saved folder.")


def _standing(report: Report, keys: list[Verifier]) -> None:
    """What no walk over entries can see: rows without one, broken chains, nouns that differ from their history."""
    report.waiting = Outbox.objects.count()
    for source in (unjournalled_rows, chain_breaks, drifted, repeated_salts, keys_on_record):
        for problem in source():
            report.add(problem)
    known = {str(key) for key in keys}
    for vkey in Key.objects.order_by("from_size", "key_id").values_list("vkey", flat=True):
        if keys and vkey not in known:
            report.undecided.append(f"The key {vkey} is on record, but is none that you trust.")
    for text in check_guards():
        report.add(Problem(text.partition(":")[0], "", text.partition(": ")[2]))
