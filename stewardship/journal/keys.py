"""The signing keys: private halves in files that only their owner reads, public halves on record."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.errors import KeyMissing
from stewardship.journal.models import Entry, Key, note_event
from stewardship.journal.note import Signer, Verifier


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
    return Signer.parse(path.read_text())


def signers() -> list[Signer]:
    """Every key that signs now; two during a rotation. Raises KeyMissing when the journal has lost its key."""
    found = [Signer.parse(path.read_text()) for path in sorted(folder().glob("*.key"))]
    ours = [signer for signer in found if signer.name == settings.JOURNAL_ORIGIN]
    if not ours and Key.objects.exists():
        raise KeyMissing(
            f"There is no signing key for {settings.JOURNAL_ORIGIN} in the key folder.",
            remedy="Put the key file back, or begin a new journal under another JOURNAL_ORIGIN.",
        )
    return ours


def verifiers() -> list[Verifier]:
    """The public keys this installation trusts: those whose private halves it holds, then those on record."""
    held = [signer.verifier for signer in signers()]
    recorded = [Verifier.parse(text) for text in Key.objects.order_by("made_at").values_list("vkey", flat=True)]
    return held + [key for key in recorded if key not in held]


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
        _, made = Key.objects.get_or_create(key_id=key.id, defaults={"vkey": str(key), "from_size": size, "made_at": timezone.now()})
        if made:
            note_event("journal.key.added", {"key": str(key), "from_size": size}, actor=actor)


def rotate(*, actor: Any) -> Verifier:
    """Begin to sign with a new key beside the old one. Checkpoints carry both until `retire` ends the old."""
    signer = _create()
    _record(signer, actor)
    return signer.verifier


def retire(key_id: str, *, actor: Any) -> None:
    """Stop signing with a key; its checkpoints stay verifiable. Raises KeyMissing when it is not here or is the last."""
    held = {Signer.parse(path.read_text()).verifier.id: path for path in folder().glob("*.key")}
    if key_id not in held or len(held) < 2:
        raise KeyMissing(f"Key {key_id} cannot be retired.", field="key_id", remedy="Rotate first: `manage.py journal keys --rotate`.")
    with transaction.atomic():
        note_event("journal.key.retired", {"key": key_id}, actor=actor)
        held[key_id].rename(folder() / f"{key_id}.retired")
