"""What this floor knows of a model, for the blocks of its dossier."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stewardship.dossiers import providers
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from stewardship.roles.holders import holders_of
from stewardship.roles.models import Role

LATEST_VERSIONS = 20


def register() -> None:
    """Called when the apps are ready."""
    for name, provider in (
        ("model", model_facts),
        ("version", version_facts),
        ("people", people),
        ("deployments", deployments),
        ("versions", versions),
    ):
        providers.register(name, provider)


def model_facts(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> dict[str, Any]:
    """What the inventory says of the model."""
    return {
        "name": model.name,
        "family": model.family.name,
        "region": model.region.name,
        "purpose": model.purpose,
        "outcome": model.outcome,
        "outcome_measure": model.outcome_measure,
        "exposure": model.exposure,
        "technique": model.technique,
        "provider": model.provider,
        "tier": model.tier,
        "stage": model.stage,
        "ruling": model.ruling,
        "ruling_rationale": model.ruling_rationale,
    }


def version_facts(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> dict[str, Any] | None:
    """What the inventory says of the version; nothing about who committed it."""
    if version is None:
        return None
    return {
        "label": version.label,
        "digest": version.digest,
        "uri": version.uri,
        "code_revision": version.code_revision,
        "run": version.run,
        "parent": version.parent.label if version.parent else "",
        "datasets": version.datasets,
        "libraries": version.libraries,
        "notes": version.notes,
        "registered_at": version.registered_at.isoformat(),
    }


def people(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> list[dict[str, Any]]:
    """Who held which role then, by id: names are looked up when the dossier is read."""
    found = holders_of(list(Role.objects.all()), model=model, at=at)
    return [
        {"role": role.slug, "role_name": role.name, "user": str(holder.user.pk)}
        for role, holding in sorted(found.items(), key=lambda item: item[0].name)
        for holder in holding
    ]


def deployments(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> list[str]:
    """Where the model runs."""
    live = Deployment.objects.live(at).filter(model=model).select_related("version", "environment", "region")
    return [
        f"{one.version.label} in {one.environment.name}, {one.region.name}" for one in live.order_by("environment__order", "region__name")
    ]


def versions(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> list[str]:
    """The latest versions with their notes."""
    found = model.versions.filter(registered_at__lte=at).order_by("-registered_at", "-id")[:LATEST_VERSIONS]
    return [f"{one.label} ({one.registered_at:%Y-%m-%d}){': ' + one.notes if one.notes else ''}" for one in found]
