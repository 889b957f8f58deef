"""Open a gap, once, and call whoever is configured to be called about it."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.db import transaction

from stewardship.coverage.models import SUBJECT, Gap, Status
from stewardship.escalation.errors import NoPath
from stewardship.escalation.start import start
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.roles.models import Role


def key_of(kind: str, subject_kind: str, subject_id: UUID, region: Region, role: Role | None) -> str:
    """What makes two gaps the same gap."""
    return ":".join((kind, subject_kind, str(subject_id), str(region.pk), str(role.pk) if role else ""))


def open_gap(
    *,
    kind: str,
    subject_kind: str,
    subject_id: UUID,
    label: str,
    region: Region,
    model: RegisteredModel | None = None,
    role: Role | None = None,
    actor: User,
) -> Gap:
    """The open gap with this meaning, made when there is none. Asks for no right: noticing is nobody's privilege.

    Where a path for gaps is configured (for this kind, or any), an escalation of its own starts.
    """
    key = key_of(kind, subject_kind, subject_id, region, role)
    with transaction.atomic(), acting(actor):
        gap, new = Gap.objects.get_or_create(
            key=key,
            status=Status.OPEN,
            defaults={
                "kind": kind,
                "subject_kind": subject_kind,
                "subject_id": subject_id,
                "label": label[:200],
                "region": region,
                "model": model,
                "role": role,
                "opened_at": moment(),
            },
        )
        if new:
            # Without a path the gap is on the list, and in the inboxes of those who may close it.
            with suppress(NoPath):
                start(subject_kind=SUBJECT, subject_id=gap.pk, label=gap.label, level=kind[:20], model=model, region=region, actor=actor)
    return gap
