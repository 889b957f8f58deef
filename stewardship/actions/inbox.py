"""What of the actions waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from config.portal.registry import InboxItem
from stewardship.actions.models import Action, Status


def actions_for(user: Any, at: datetime) -> Iterable[InboxItem]:
    """What this person has to do or to verify; and what they verify that waits for somebody else."""
    rows = Action.objects.waiting_for(user) | Action.objects.filter(verifier=user, status=Status.OPEN)
    own: list[Action] = []
    others: list[Action] = []
    for action in rows.select_related("region", "owner"):
        waits = action.status == Status.DONE or action.owner_id == user.pk
        (own if waits else others).append(action)
    for action in own:
        to_do = action.status == Status.OPEN
        yield InboxItem(
            title=action.title,
            url=reverse("action_detail", args=[action.pk]),
            kind="action",
            meta=action.region.name if to_do else _("To verify · done by %(name)s") % {"name": action.owner.full_name},
            due=action.due_at if to_do else None,
        )
    for action in others:
        yield InboxItem(
            title=action.title,
            url=reverse("action_detail", args=[action.pk]),
            kind="action",
            due=action.due_at,
            waiting_on=action.owner.full_name or action.owner.username,
        )
