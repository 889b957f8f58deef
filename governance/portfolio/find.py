"""What the palette finds beside models, changes and alerts: versions by label or digest, people by name, what one looked at last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from config.portal.registry import Hit
from governance.changes.looks import LastLook
from governance.changes.models import ChangeRequest
from governance.changes.rights import ChangeRight
from stewardship.inventory.models import ModelVersion
from stewardship.inventory.rights import VersionRight
from stewardship.people.models import User
from stewardship.people.rights import PersonRight

SHORTEST_DIGEST = 4


def versions(user: Any, text: str, limit: int) -> Iterable[Hit]:
    """By label, or by the beginning of the digest; `model 1.1.0` narrows to one model."""
    *model, last = text.split() or [""]
    wanted = Q(label__istartswith=last)
    if len(last) >= SHORTEST_DIGEST:
        wanted |= Q(digest__startswith=last.lower().removeprefix("sha256:"))
    rows = ModelVersion.objects.allowed(user, VersionRight.VIEW).filter(wanted)
    for word in model:
        rows = rows.filter(Q(model__name__icontains=word) | Q(model__slug__icontains=word))
    for row in rows.select_related("model").order_by("-registered_at")[:limit]:
        yield Hit(f"{row.model.name} {row.label}", row.digest[:8], reverse("version_detail", args=[row.pk]), "model")


def people(user: Any, text: str, limit: int) -> Iterable[Hit]:
    """By name or address, to whoever may see people."""
    rows = User.objects.allowed(user, PersonRight.VIEW).filter(is_system=False)
    rows = rows.filter(Q(full_name__icontains=text) | Q(username__icontains=text) | Q(email__icontains=text))
    for row in rows.order_by("full_name")[:limit]:
        said = row.email if row.is_active else _("no longer active")
        yield Hit(row.get_full_name() or row.username, said, reverse("admin:stewardship_user_change", args=[row.pk]), "person")


def recent(user: Any, limit: int) -> Iterable[Hit]:
    """The changes this person looked at last, as far as they may still see them."""
    looks = LastLook.objects.filter(user=user, change__in=ChangeRequest.objects.allowed(user, ChangeRight.VIEW))
    for look in looks.select_related("change__model").order_by("-at")[:limit]:
        yield Hit(str(look.change), str(look.change.model), look.change.get_absolute_url(), "change")
