"""Attach a file to a version as evidence, read and checked."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from governance.evidence import hooks
from governance.evidence.errors import DigestMismatch, EvidenceRefused
from governance.evidence.models import Artifact
from governance.evidence.readers import Reading, Unreadable, find
from governance.evidence.readers.documents import plain_name
from governance.evidence.readers.metrics import point_out_worst
from governance.evidence.rights import ArtifactRight
from monitoring.signals.models import Metric
from stewardship.access import require
from stewardship.documents.blobs import store
from stewardship.inventory.models import ModelVersion
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User

KIND = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


def attach(
    *, version: ModelVersion, kind: str, data: bytes, name: str, media_type: str, actor: User, expected_digest: str = ""
) -> Artifact:
    """Keep this file as evidence of `kind` for the version; the same file again gives the same artifact.

    `expected_digest` (SHA-256, hex) is checked against what arrived. A file that its reader cannot read is kept too, with the
    problem in words: it then counts as "not known". Raises EvidenceRefused or DigestMismatch naming the field.
    """
    require(actor, ArtifactRight.ATTACH, version)
    if not KIND.match(kind):
        raise EvidenceRefused(
            _("'%s' is no kind of evidence.") % kind[:40],
            field="kind",
            remedy=_("Use lower-case letters, digits and underscores, e.g. metrics."),
        )
    if not data:
        raise EvidenceRefused(_("The file is empty."), field="file", remedy=_("Send the file itself."))
    received = hashlib.sha256(data).hexdigest()
    if expected_digest and expected_digest.strip().lower().removeprefix("sha256:") != received:
        raise DigestMismatch(
            _("The digest of what arrived is %s, not the one you sent.") % received,
            field="digest",
            remedy=_("Send the file again; if this repeats, something on the way changes it."),
        )
    reading, problem = _read(kind, data)
    readings = _judged(reading.readings)
    with transaction.atomic(), acting(actor, _("Attached as evidence")), hooks.attaching(version):
        # The version row is the lock: one pipeline sending twice at once gets one artifact.
        ModelVersion.objects.select_for_update().get(pk=version.pk)
        same: Artifact | None = Artifact.objects.filter(version=version, kind=kind).order_by("-attached_at", "-id").first()
        if same is not None and same.received_digest == received and same.name == _short(name):
            return same
        blob = store(reading.kept or data, name=name, media_type=media_type, actor=actor)
        artifact = Artifact(
            version=version,
            kind=kind,
            name=_short(name),
            blob=blob,
            received_digest=received,
            reader=kind if find(kind) else "",
            readings=readings,
            problem=problem,
            attached_at=moment(),
        )
        artifact.save()
    return artifact


def _read(kind: str, data: bytes) -> tuple[Reading, str]:
    reader = find(kind)
    if reader is None:
        return Reading({}), ""
    try:
        return reader(data), ""
    except Unreadable as error:
        return Reading({}), str(error)[:500]


def _judged(readings: dict[str, Any]) -> dict[str, Any]:
    """The readings with the worst subgroup of each metric whose direction the catalogue knows on this day."""
    if "metrics" not in readings:
        return readings
    directions = {}
    for slug, direction in Metric.objects.exclude(direction="").values_list("slug", "direction"):
        with suppress(Unreadable):  # a name that no rule could write is in no readings either
            directions[plain_name(slug, slug)] = direction
    return readings | {"metrics": point_out_worst(readings["metrics"], directions)}


def _short(name: str) -> str:
    # A name from outside may carry the sender's folders.
    return name.replace("\\", "/").rsplit("/", 1)[-1].strip()[:200] or "file"
