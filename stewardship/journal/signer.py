"""Signs checkpoints, and remembers outside the database what it signed: it never signs two histories.

The memory is one small file. Who restores an old database, or rewrites one, meets the signer's refusal.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from stewardship.journal import merkle
from stewardship.journal.errors import JournalStopped
from stewardship.journal.keys import signers
from stewardship.journal.models import Checkpoint
from stewardship.journal.note import TreeHead, sign

_LOST: Final = gettext_noop(
    "Put the saved file back, or run `manage.py journal remember FILE` with the newest checkpoint that somebody keeps outside this machine."
)


def folder() -> Path:
    """Where the journal is mirrored outside the database."""
    path = Path(settings.JOURNAL_FOLDER)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(*, wait: bool = True) -> Iterator[bool]:
    """One signer at a time on this machine; gives False when another one is at work and we do not `wait`."""
    with open(folder() / "signer.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def write(path: Path, data: bytes) -> None:
    """Replace a file whole. It is on the disk afterwards; its name is after `settle_names` of its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    with open(draft, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def settle_names(path: Path) -> None:
    """Wait until what was created, renamed and removed in this folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remembered() -> TreeHead | None:
    """The last tree head that was signed, or None before the first; raises JournalStopped when the memory is damaged or lost."""
    path = folder() / "signer.json"
    if not path.exists():
        if Checkpoint.objects.exclude(note="").exists():
            raise JournalStopped(_("The signer's memory, signer.json, is lost: it cannot know what it signed."), remedy=_(_LOST))
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        return TreeHead(str(state["origin"]), int(state["size"]), bytes.fromhex(state["root"]))
    except (ValueError, KeyError, TypeError) as error:
        raise JournalStopped(
            _("The signer's memory, signer.json, cannot be read: %(error)s") % {"error": error}, remedy=_(_LOST)
        ) from error


def remember(head: TreeHead) -> None:
    """Keep on disk what is about to be signed."""
    state = {"origin": head.origin, "size": head.size, "root": head.root.hex()}
    write(folder() / "signer.json", json.dumps(state).encode())
    settle_names(folder())


def sign_head(head: TreeHead, tree: merkle.Tree) -> str:
    """The signed note of this head; raises JournalStopped when it does not continue what was signed before.

    Called inside `locked()`. The memory is on disk before the signature leaves: the other order allows a rollback.
    """
    must_continue(remembered(), head, tree)
    remember(head)
    return sign(str(head), signers())


def must_continue(last: TreeHead | None, head: TreeHead, tree: merkle.Tree) -> None:
    """Raise JournalStopped unless this head only appends to the `last` one."""
    if last is None:
        return
    remedy = _("Run `manage.py journal verify`; restore the database that matches, or begin a new journal under another JOURNAL_ORIGIN.")
    if head.origin != last.origin:
        raise JournalStopped(
            _("The journal of this folder is %(signed)s, not %(found)s.") % {"signed": last.origin, "found": head.origin}, remedy=remedy
        )
    if head.size < last.size:
        raise JournalStopped(
            _("The database holds %(size)d entries; %(signed)d were signed before.") % {"size": head.size, "signed": last.size},
            remedy=remedy,
        )
    try:
        proof = tree.consistency(last.size) if last.size < head.size else []
        merkle.verify_consistency(last.size, head.size, proof, last.root, head.root)
    except merkle.ProofError as error:
        text = _("The database holds another history than the %(signed)d entries signed before. %(why)s") % {
            "signed": last.size,
            "why": error,
        }
        raise JournalStopped(text, remedy=remedy) from error
