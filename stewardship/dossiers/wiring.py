"""This slice's registrations; called when the apps are ready."""

from __future__ import annotations

from config.portal.registry import panels
from stewardship.access import rights
from stewardship.dossiers import registry
from stewardship.dossiers.panels import TEMPLATE, dossier_panel
from stewardship.dossiers.rights import DossierRight, TemplateRight


def wire() -> None:
    """Rights, what this floor knows of a model, and the dossier on its page."""
    rights.register(DossierRight)
    rights.register(TemplateRight)
    registry.register()
    panels.register("model:dossier", 10, DossierRight.VIEW, dossier_panel, TEMPLATE)
