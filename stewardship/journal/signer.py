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

from django.conf import settings

from stewardship.journal import merkle
from stewardship.journal.errors import JournalStopped
from stewardship.journal.keys import signers
from stewardship.journal.note import TreeHead, sign


def folder() -> Path:
    """Where the journal is mirrored outside the database."""
    path = Path(settings.JOURNAL_FOLDER)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked() -> Iterator[None]:
    """One signer at a time on this machine."""
    with open(folder() / "signer.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a file whole; `durable` waits for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    with open(draft, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)


def remembered() -> TreeHead | None:
    """The last tree head that was signed, or None before the first."""
    path = folder() / "signer.json"
    if not path.exists():
        return None
    state = json.loads(path.read_text())
    return TreeHead(state["origin"], state["size"], bytes.fromhex(state["root"]))


def sign_head(head: TreeHead, tree: merkle.Tree) -> str:
    """The signed note of this head; raises JournalStopped when it does not continue what was signed before.

    Called inside `locked()`. The memory is on disk before the signature leaves: the other order allows a rollback.
    """
    must_continue(remembered(), head, tree)
    state = {"origin": head.origin, "size": head.size, "root": head.root.hex()}
    write(folder() / "signer.json", json.dumps(state).encode(), durable=True)
    return sign(str(head), signers())


def must_continue(last: TreeHead | None, head: TreeHead, tree: merkle.Tree) -> None:
    """Raise JournalStopped unless this head only appends to the `last` one."""
    if last is None:
        return
    remedy = "Run `manage.py journal verify`; restore the database that matches, or begin a new journal under another JOURNAL_ORIGIN."
    if head.origin != last.origin:
        raise JournalStopped(f"The journal of this folder is {last.origin}, not {head.origin}.", remedy=remedy)
    if head.size < last.size:
        raise JournalStopped(f"The database holds {head.size} entries; {last.size} were signed before.", remedy=remedy)
    try:
        proof = tree.consistency(last.size) if last.size < head.size else []
        merkle.verify_consistency(last.size, head.size, proof, last.root, head.root)
    except merkle.ProofError as error:
        text = f"The database holds another history than the {last.size} entries signed before. {error}"
        raise JournalStopped(text, remedy=remedy) from error
