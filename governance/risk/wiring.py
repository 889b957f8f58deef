"""This slice's registrations; called when the apps are ready."""

from __future__ import annotations

from config.portal.registry import panels
from governance.risk import dossier
from governance.risk.panels import TEMPLATE, risk_panel
from governance.risk.rights import AssessmentRight, QuestionnaireRight
from stewardship.access import rights
from stewardship.dossiers import providers


def wire() -> None:
    """Rights, what the assessment says in a dossier, and the card on the model's page."""
    rights.register(AssessmentRight)
    rights.register(QuestionnaireRight)
    providers.register("risk", dossier.risk)
    panels.register("model:aside", 30, AssessmentRight.VIEW, risk_panel, TEMPLATE)
