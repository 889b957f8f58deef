"""Give somebody something to do."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from stewardship.access import require
from stewardship.actions.errors import ActionRefused
from stewardship.actions.models import Action
from stewardship.actions.rights import ActionRight
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.notices.send import send
from stewardship.people.models import User
from stewardship.regions.models import Region

CAUSE = "action"


def open_action(
    *,
    actor: User,
    title: str,
    owner: User,
    due_at: datetime,
    region: Region,
    model: RegisteredModel | None = None,
    verifier: User | None = None,
    detail: str = "",
    origin_kind: str = "",
    origin_id: UUID | None = None,
    origin_label: str = "",
    origin_link: str = "",
) -> Action:
    """Open an action and tell its owner. `due_at` is aware. Raises Forbidden, ActionRefused."""
    require(actor, ActionRight.OPEN, model or region)
    if not title.strip():
        raise ActionRefused(_("Say what is to be done."), field="title", remedy=_("Enter one sentence."))
    if not owner.is_active or owner.is_system:
        raise ActionRefused(
            _("The owner cannot act: the account is not active."), field="owner", remedy=_("Choose somebody who is active.")
        )
    if verifier is not None and verifier.pk == owner.pk:
        raise ActionRefused(
            _("The owner cannot verify their own action."), field="verifier", remedy=_("Choose somebody else, or nobody yet.")
        )
    with transaction.atomic(), acting(actor):
        action = Action(
            title=title.strip()[:200],
            detail=detail,
            owner=owner,
            verifier=verifier,
            due_at=due_at,
            region=region,
            model=model,
            origin_kind=origin_kind,
            origin_id=origin_id,
            origin_label=origin_label[:200],
            origin_link=origin_link,
        )
        action.save()
        send(
            cause_kind=CAUSE,
            cause_id=action.pk,
            step="opened",
            recipients=[owner] if owner.pk != actor.pk else [],
            subject=lambda reader: _("To do: %(title)s") % {"title": action.title},
            body=detail,
        )
    return action
