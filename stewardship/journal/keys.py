"""The signing keys: private halves in files that only their owner reads, public halves beside them and on record.

SECURITY: what this installation trusts is what lies in its key folder. The table is a record that any account of the
database can add to; `standing.keys_on_record` compares the two.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.errors import KeyMissing
from stewardship.journal.models import Entry, Key, note_event
from stewardship.journal.note import NoteError, Signer, Verifier

KEY_ADDED: Final = "journal.key.added"


def folder() -> Path:
    """Where the private keys are."""
    return Path(settings.KEY_FOLDER) / "journal"


def _create(name: str = "") -> Signer:
    """Write a key file, readable by its owner only. Linked into place whole: of two processes the first one wins."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    signer = Signer(settings.JOURNAL_ORIGIN, secrets.token_bytes(32))
    path = folder() / f"{name or signer.verifier.id}.key"
    draft = folder() / f".{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{signer}\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    winner = Signer.parse(path.read_text())
    (folder() / f"{winner.verifier.id}.pub").write_text(f"{winner.verifier}\n")
    return winner


def _read(ending: str) -> Iterator[Signer | Verifier]:
    """The keys of this journal in the files with this ending; raises KeyMissing when one cannot be read."""
    parse = Verifier.parse if ending == "pub" else Signer.parse
    for path in sorted(folder().glob(f"*.{ending}")):
        try:
            key = parse(path.read_text(encoding="utf-8"))
        except (NoteError, UnicodeDecodeError) as error:
            raise KeyMissing(
                _("The key file %(name)s cannot be read: %(error)s") % {"name": path.name, "error": error},
                remedy=_("Put the file of the backup back."),
            ) from error
        if key.name == settings.JOURNAL_ORIGIN:
            yield key


def signers() -> list[Signer]:
    """Every key that signs now; two during a rotation. Raises KeyMissing when the journal has lost its key."""
    ours = [key for key in _read("key") if isinstance(key, Signer)]
    if not ours and Key.objects.exists():
        raise KeyMissing(
            _("There is no signing key for %(origin)s in the key folder.") % {"origin": settings.JOURNAL_ORIGIN},
            remedy=_("Put the key file back, or begin a new journal under another JOURNAL_ORIGIN."),
        )
    return ours


def verifiers() -> list[Verifier]:
    """The public keys this installation trusts: those in its key folder, the ones that sign now first."""
    files = [key for ending in ("key", "retired", "pub") for key in _read(ending)]
    return list(dict.fromkeys(key.verifier if isinstance(key, Signer) else key for key in files))


def ensure_key() -> None:
    """Make the first key, and put every key in the folder on record. Called before each batch; normally one query."""
    held = signers() or [_create("first")]
    recorded = set(Key.objects.values_list("key_id", flat=True))
    for signer in held:
        if signer.verifier.id not in recorded:
            _record(signer, SYSTEM)


def _record(signer: Signer, actor: Any) -> None:
    key = signer.verifier
    with transaction.atomic(), acting(actor, "A signing key comes into use."):
        last = Entry.objects.aggregate(last=Max("index"))["last"]
        size = 0 if last is None else last + 1
        _key, made = Key.objects.get_or_create(key_id=key.id, defaults={"vkey": str(key), "from_size": size, "made_at": timezone.now()})
        if made:
            note_event(KEY_ADDED, {"key": str(key), "from_size": size}, actor=actor)


def rotate(*, actor: Any) -> Verifier:
    """Begin to sign with a new key beside the old one. Checkpoints carry both until `retire` ends the old."""
    signer = _create()
    _record(signer, actor)
    return signer.verifier


def retire(key_id: str, *, actor: Any) -> None:
    """Stop signing with a key; its checkpoints stay verifiable. Raises KeyMissing when it is not here or is the last."""
    held = {Signer.parse(path.read_text()).verifier.id: path for path in folder().glob("*.key")}
    if key_id not in held or len(held) < 2:
        raise KeyMissing(
            _("Key %(key)s cannot be retired.") % {"key": key_id},
            field="key_id",
            remedy=_("Rotate first: `manage.py journal keys --rotate`."),
        )
    with transaction.atomic():
        note_event("journal.key.retired", {"key": key_id}, actor=actor)
        held[key_id].rename(folder() / f"{key_id}.retired")
