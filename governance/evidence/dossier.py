"""What evidence contributes to a model's dossier, and who may read its files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.evidence.facts import facts
from governance.evidence.models import Artifact
from governance.evidence.rights import ArtifactRight
from stewardship.documents.models import Blob
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User


def metrics(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> list[dict[str, Any]] | None:
    """Every metric of the version with its n and interval, ready for a table."""
    found = facts(version, at)["metrics"]
    return [{"name": name, **_row(reading)} for name, reading in sorted(found.items())] or None


def tests(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> dict[str, Any] | None:
    """How many tests passed, and the names of those that did not."""
    return facts(version, at).get("tests")


def artifacts(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> list[str]:
    """What was attached to the version."""
    if version is None:
        return []
    return [f"{one.kind}: {one.name} (sha256 {one.blob.sha256[:8]})" for one in Artifact.objects.that_counts(version, at)]


def may_read(user: User, blob: Blob) -> bool:
    """Whether a file is evidence that this person may see."""
    return Artifact.objects.allowed(user, ArtifactRight.VIEW).filter(blob=blob).exists()


def _row(reading: dict[str, Any]) -> dict[str, Any]:
    row = {key: reading.get(key) for key in ("value", "n", "low", "high")}
    worst = reading.get("worst")
    return row | ({"worst": f"{worst['value']} ({worst['subgroup']}, n {worst.get('n', '?')})"} if worst else {})
