"""What other pages show of changes: those that came of something, seen from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse

from governance.changes.models import ChangeRequest, Status
from governance.changes.rights import ChangeRight
from governance.changes.shown import status_chip
from stewardship.access import allowed_to

OF_ALERT = "governance/changes/_changes_of_alert.html"
FEW = 10


def of_alert(request: HttpRequest, alert: Any) -> Mapping[str, Any] | None:
    """The changes that name this alert as their origin; the way back is on the change's page."""
    mine = ChangeRequest.objects.allowed(request.user, ChangeRight.SUBMIT).filter(pk=OuterRef("pk"))
    found = ChangeRequest.objects.allowed(request.user, ChangeRight.VIEW).came_of("alert", alert.pk).annotate(may_submit=Exists(mine))
    lines = [
        {"change": change, "chip": status_chip(change), "to_submit": change.status == Status.DRAFT and change.may_submit}
        for change in found.order_by("-number")[:FEW]
    ]
    may_draft = allowed_to(request.user, ChangeRight.DRAFT, alert.model)
    begin = f"{reverse('change_new', args=[alert.model_id])}?origin_kind=alert&origin_reference={alert.pk}" if may_draft else ""
    return {"lines": lines, "begin": begin} if lines or begin else None
