"""The document an approver agrees to: one place that says what it contains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from governance.changes.models import ChangeRequest

# Plain fields of a change that a person fills in. Order is the order of the page.
WRITTEN: tuple[str, ...] = (
    "title",
    "rationale",
    "observed_shifts",
    "policy_considerations",
    "ethical_considerations",
    "tradeoffs",
    "testing_protocol",
    "rollout_plan",
    "release_notes",
    "watch_days",
    "waived_rule",
    "compensating_control",
    "waiver_until",
)
PLAN: tuple[str, ...] = ("trigger", "steps", "criteria")


def of(change: ChangeRequest) -> dict[str, Any]:
    """The content of a change as a document. It depends on the change, its version and its plan, and on nothing that moves by itself."""
    version, environment = change.version, change.environment
    document: dict[str, Any] = {name: getattr(change, name) for name in WRITTEN}
    document["waiver_until"] = change.waiver_until.isoformat() if change.waiver_until else None
    return document | {
        "reference": change.reference,
        "revision": change.revision,
        "kind": str(change.kind),
        "model": change.model.slug,
        "version": {"label": version.label, "digest": version.digest} if version else None,
        "environment": environment.slug if environment else None,
        "region": change.region.code,
        "origin": {"kind": change.origin_kind, "id": str(change.origin_id) if change.origin_id else None, "label": change.origin_label},
        "evidence": change.evidence,
        "rollback": plan(change),
    }


def plan(change: ChangeRequest) -> dict[str, Any] | None:
    """The rollback plan as a document, or None when there is none yet."""
    found = getattr(change, "rollback", None)
    if found is None:
        return None
    target = found.target_version
    written: dict[str, Any] = {name: getattr(found, name) for name in PLAN}
    return written | {"version": {"label": target.label, "digest": target.digest} if target else None}
