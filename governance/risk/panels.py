"""The risk card on a model's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from governance.risk.models import Assessment
from governance.risk.rights import AssessmentRight
from stewardship.access import allowed_to
from stewardship.inventory.models import RegisteredModel

TEMPLATE = "governance/risk/_risk_panel.html"


def risk_panel(request: HttpRequest, model: RegisteredModel) -> dict[str, Any]:
    """The latest assessment and what it rests on, for whom `rendered_panels` has found to hold the panel's right here."""
    latest = Assessment.objects.allowed(request.user, AssessmentRight.VIEW).select_related("questionnaire").latest_of(model)
    return {"model": model, "assessment": latest, "may_assess": allowed_to(request.user, AssessmentRight.MAKE, model)}
