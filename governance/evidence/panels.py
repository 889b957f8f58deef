"""A version's evidence on the model's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from governance.evidence.facts import facts
from governance.evidence.models import Artifact
from governance.evidence.rights import ArtifactRight
from stewardship.access import allowed_to
from stewardship.dossiers.revise import described
from stewardship.inventory.models import ModelVersion, RegisteredModel

TEMPLATE = "governance/evidence/_evidence_panel.html"


def evidence_of(version: ModelVersion) -> dict[str, Any]:
    """What a template needs to show the evidence of one version: the artifacts that count, metrics, tests."""
    counted = Artifact.objects.that_counts(version)
    found = facts(version, counted=counted)
    return {
        "version": version,
        "artifacts": list(reversed(counted)),
        "metrics": sorted(found["metrics"].items()),
        "tests": found.get("tests"),
    }


def evidence_panel(request: HttpRequest, model: RegisteredModel) -> dict[str, Any] | None:
    """The evidence of the version that matters most; nothing for who may not see it, or without a version."""
    version = described(model, timezone.now())
    if version is None or not allowed_to(request.user, ArtifactRight.VIEW, version):
        return None
    return {"model": model, **evidence_of(version)}
