"""What this slice puts into the registries; called once, in AppConfig.ready()."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.portal.permission import SIGNED_IN
from config.portal.registry import inbox, nav
from stewardship.access import rights
from stewardship.actions import inbox as items
from stewardship.actions.models import Action
from stewardship.actions.open import CAUSE
from stewardship.actions.rights import ActionRight
from stewardship.notices import causes


def wire() -> None:
    """Rights, the notice of a new action, the inbox."""
    rights.register(ActionRight)
    causes.register(CAUSE, still_wanted=still_open, link=action_page)
    inbox.register(items.actions_for)
    nav.register("Work", _("Actions"), "action_list", SIGNED_IN, order=20, icon="action")


def still_open(action_id: UUID) -> bool:
    """Nobody needs to read about an action that is closed already."""
    return Action.objects.open().filter(pk=action_id).exists()


def action_page(action_id: UUID) -> str:
    """Where the notice leads."""
    return reverse("action_detail", args=[action_id])
