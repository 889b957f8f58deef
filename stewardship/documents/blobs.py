"""Store bytes once, under their digest."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.portal.errors import TooLarge
from stewardship.documents import media
from stewardship.documents.errors import MediaRefused
from stewardship.documents.models import Blob
from stewardship.journal.acting import acting


def store(data: bytes, *, name: str, media_type: str, actor: Any) -> Blob:
    """The blob of these bytes; the same bytes give the same blob, whoever brings them.

    Raises TooLarge above settings.MAX_BLOB_BYTES and MediaRefused when the bytes contradict the media type.
    The file is on the disk before the row: a crash in between leaves bytes that nothing points at, never a row without bytes.
    """
    if len(data) > settings.MAX_BLOB_BYTES:
        raise TooLarge(
            _("The file has %(size)d bytes; at most %(most)d are accepted.") % {"size": len(data), "most": settings.MAX_BLOB_BYTES},
            field="data",
            remedy=_("Attach a summary and keep the file where it is, with its digest."),
        )
    problem = media.contradiction(data, media_type)
    if problem:
        raise MediaRefused(problem, field="data", remedy=_("Send it with its true media type."))
    digest = hashlib.sha256(data).hexdigest()
    _write(data, digest)
    with transaction.atomic(), acting(actor):
        known: Blob | None = Blob.objects.filter(sha256=digest).first()
        if known is not None:
            return known
        fresh = Blob(sha256=digest, size=len(data), media_type=media_type, name=_safe_name(name))
        return _insert(fresh)


def _insert(fresh: Blob) -> Blob:
    """Insert, or give way to another who stored the same bytes in this very moment."""
    try:
        with transaction.atomic():
            fresh.save()
    except IntegrityError:
        faster: Blob = Blob.objects.get(sha256=fresh.sha256)
        return faster
    return fresh


def _safe_name(name: str) -> str:
    """The last part of the name without control characters, for a Content-Disposition header."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:200].strip() or "file"


def _write(data: bytes, digest: str) -> None:
    """Put the bytes in place in one step, on the disk and not only in its cache."""
    target = Blob(sha256=digest).path
    if target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() == digest:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
