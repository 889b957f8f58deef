"""The dossier on a model's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from stewardship.access import allowed_to
from stewardship.dossiers.read import dossier_of, read
from stewardship.dossiers.rights import DossierRight
from stewardship.inventory.models import RegisteredModel

TEMPLATE = "stewardship/dossiers/_dossier_panel.html"


def dossier_panel(request: HttpRequest, model: RegisteredModel) -> dict[str, Any] | None:
    """What the dossier says and what it lacks; nothing for who may not see it."""
    if not allowed_to(request.user, DossierRight.VIEW, model):
        return None
    now = timezone.now()
    dossier = dossier_of(model)
    revision = dossier.as_of() if dossier else None
    return {
        "model": model,
        "revision": revision,
        "completeness": revision.completeness(now) if revision else None,
        "sections": read(revision, now) if revision else [],
        "may_revise": allowed_to(request.user, DossierRight.REVISE, model),
    }
