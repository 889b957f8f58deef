"""This slice's registrations; called when the apps are ready."""

from __future__ import annotations

from config.portal.registry import panels
from governance.evidence import dossier, readers
from governance.evidence.panels import TEMPLATE, evidence_panel
from governance.evidence.readers import junit, metrics
from governance.evidence.rights import ArtifactRight
from stewardship.access import rights
from stewardship.documents import owners
from stewardship.dossiers import providers


def wire() -> None:
    """Rights, readers, who may read an artifact's file, and what evidence says in a dossier."""
    rights.register(ArtifactRight)
    readers.register("metrics", metrics.read)
    readers.register("junit", junit.read)
    owners.register("evidence", dossier.may_read)
    providers.register("metrics", dossier.metrics)
    providers.register("tests", dossier.tests)
    providers.register("evidence", dossier.artifacts)
    panels.register("model:dossier", 40, ArtifactRight.VIEW, evidence_panel, TEMPLATE)
