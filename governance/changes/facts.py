"""The Facts document: assembled once, then read alike by policies, risk, routes and gate. Queries are bounded.

What is not known is absent or null, never a default: policies answer "not known" to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.changes.models import ChangeRequest, Kind
from governance.changes.ready import ran_there
from governance.evidence.facts import facts as evidence_facts
from governance.risk.facts import facts as risk_facts
from monitoring.alerts.models import Alert
from monitoring.thresholds.models import LevelChoice
from stewardship.dossiers.facts import facts as dossier_facts
from stewardship.inventory.models import Deployment, Environment, ModelVersion, RegisteredModel
from stewardship.regions.models import Region
from stewardship.regions.settings import resolve_all
from stewardship.roles.holders import holders_of
from stewardship.roles.models import Role


@dataclass(frozen=True)
class Target:
    """What a question is about when no change asks it: this version, there."""

    model: RegisteredModel
    version: ModelVersion | None
    environment: Environment | None
    region: Region
    kind: str = Kind.DEPLOYMENT
    change: ChangeRequest | None = None

    @classmethod
    def of(cls, change: ChangeRequest) -> Target:
        """The target that a change names."""
        return cls(change.model, change.version, change.environment, change.region, change.kind, change)


def assemble(subject: ChangeRequest | Target, at: datetime) -> dict[str, Any]:
    """Everything that may be judged about a change, or about a target that nobody has asked for yet, at one instant."""
    target = Target.of(subject) if isinstance(subject, ChangeRequest) else subject
    return {
        "at": at.isoformat(),
        "change": _change(target),
        "model": _model(target.model),
        "version": _version(target),
        "target": _where(target),
        "evidence": evidence_facts(target.version, at),
        "previous": _previous(target, at),
        "risk": risk_facts(target.model, at),
        "dossier": dossier_facts(target.model, at),
        "roles": _roles(target, at),
        "alerts": _alerts(target.model),
        "limits": {name: resolved.value for name, resolved in resolve_all(target.region, at).items()},
    }


def _change(target: Target) -> dict[str, Any]:
    known: dict[str, Any] = {"kind": str(target.kind)}
    change = target.change
    if change is None:
        return known
    plan = getattr(change, "rollback", None)
    return known | {
        "origin": change.origin_kind or "none",
        "watch_days": change.watch_days,
        "waived_rule": change.waived_rule,
        "tradeoffs": len(change.tradeoffs or []),
        "has_ethics": bool(change.ethical_considerations.strip()),
        "tests_planned": len(change.testing_protocol or []),
        "has_rollback_plan": bool(plan and plan.trigger.strip() and plan.steps.strip()),
        "rollback_criteria": len(plan.criteria or []) if plan else 0,
    }


def _model(model: RegisteredModel) -> dict[str, Any]:
    return {
        "slug": model.slug,
        "tier": model.tier,
        "stage": str(model.stage),
        "ruling": str(model.ruling),
        "region": model.region.code,
        "technique": model.technique,
        "purpose_class": model.purpose_class,
        "exposure": model.exposure,
        "provider": model.provider,
    }


def _version(target: Target) -> dict[str, Any] | None:
    version, environment = target.version, target.environment
    if version is None:
        return None
    return {
        "label": version.label,
        "digest": version.digest,
        "code_revision": version.code_revision or None,
        "committer": version.committer or None,
        "reviewer": version.reviewer or None,
        "run": version.run or None,
        "datasets": len(version.datasets or []),
        "has_parent": version.parent_id is not None,
        "ran_there": ran_there(version, environment, target.region) if environment is not None else None,
    }


def _where(target: Target) -> dict[str, Any]:
    environment = target.environment
    return {
        "environment": environment.slug if environment else None,
        "production": environment.production if environment else None,
        "region": target.region.code,
    }


def previous_deployment(target: Target, at: datetime) -> Deployment | None:
    """What runs at the target now, the version in question aside."""
    if target.environment is None:
        return None
    found = Deployment.objects.live(at).filter(model=target.model, environment=target.environment, region=target.region)
    if target.version is not None:
        found = found.exclude(version=target.version)
    return found.select_related("version").order_by("-started_at").first()


def _previous(target: Target, at: datetime) -> dict[str, Any] | None:
    live = previous_deployment(target, at)
    if live is None:
        return None
    return {"label": live.version.label, "digest": live.version.digest, "metrics": evidence_facts(live.version, at)["metrics"]}


def _roles(target: Target, at: datetime) -> dict[str, bool]:
    """Which roles somebody holds for this model at the target."""
    held = holders_of(list(Role.objects.all()), model=target.model, at=at)
    return {role.slug: bool(found) for role, found in held.items()}


def _alerts(model: RegisteredModel) -> dict[str, int]:
    levels = list(Alert.objects.unresolved().filter(model=model).values_list("level", flat=True))
    return {f"open_{level}": levels.count(level) for level in LevelChoice.values}
