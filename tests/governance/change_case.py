"""What tests of changes, approvals and gate start from: a policy in force, a route, a version with evidence, a full draft."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

from governance.approvals.decide import decide
from governance.approvals.models import Decision, RouteRule
from governance.changes.draft import draft
from governance.changes.models import ChangeRequest
from governance.evidence.attach import attach
from governance.policies.models import Policy, PolicyVersion, Rule
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.signing.mint import mint
from tests.cast import PASSWORD, Cast

SESSION = "a-session-key-of-a-test"
RECALL = "evidence.metrics.recall.low >= 0.85"
TWO_STAGES = [
    {"name": "Validation", "requirements": [{"role": "validator", "scope": "model", "within_minutes": 480}]},
    {"name": "Risk", "requirements": [{"role": "risk", "scope": "region", "within_minutes": 960}]},
]
ONE_STAGE = [{"name": "Review", "requirements": [{"role": "validator"}, {"role": "risk", "scope": "region"}]}]
PLAN = {"trigger": "recall below 0.85 for two days", "steps": "Deploy the version before"}


def policy(cast: Cast, region: str = "global", *, slug: str = "", rules: dict[str, str] | None = None, **fields: Any) -> PolicyVersion:
    """A policy in force with these rules (key → expression)."""
    with acting(system_user(), "A policy"):
        made = Policy(slug=slug or f"policy-{region}", name=slug or f"Policy of {region}", region=cast.regions[region])
        made.save()
        version = PolicyVersion(policy=made, number=1)
        version.save()
        for key, expression in (rules or {"recall": RECALL}).items():
            Rule(
                version=version,
                key=key,
                title=f"{key} is good enough",
                expression=expression,
                remedy="Attach evidence that shows it.",
                remedy_role=cast.roles["owner"],
                **fields,
            ).save()
    version.publish(actor=system_user(), reason="It holds")
    return version


def route(cast: Cast, region: str = "global", *, kind: str = "deployment", name: str = "", stages: Any = None, **fields: Any) -> RouteRule:
    """A route rule; two stages by default."""
    rule = RouteRule(
        region=cast.regions[region],
        kind=kind,
        name=name or f"{kind} in {region}",
        stages=TWO_STAGES if stages is None else stages,
        **fields,
    )
    with acting(system_user(), "A route"):
        rule.save()
    return rule


def metrics(recall: str = "0.95", low: str = "0.90") -> bytes:
    """A metrics file as a pipeline writes it."""
    return json.dumps({"metrics": {"recall": {"value": float(recall), "ci95": [float(low), 0.99], "n": 171}}}).encode()


def with_evidence(version: ModelVersion, *, data: bytes = b"", name: str = "metrics.json") -> None:
    """Attach metrics to a version."""
    attach(version=version, kind="metrics", data=data or metrics(), name=name, media_type="application/json", actor=system_user())


def full_draft(
    cast: Cast, model: RegisteredModel, version: ModelVersion, *, actor: User | None = None, kind: str = "deployment", **fields: Any
) -> ChangeRequest:
    """A draft with everything a submission needs."""
    wanted: dict[str, Any] = {
        "environment": cast.environments["production"],
        "rationale": "It misses fewer malignant cases.",
        "rollout_plan": "All traffic at once.",
        "rollback": PLAN,
    }
    return draft(actor=actor or cast.users["alice"], kind=kind, model=model, version=version, **(wanted | fields))


def decides(change: ChangeRequest, person: User, outcome: str = "approve", comment: str = "", digest: str = "") -> Decision:
    """What a person does on the page: prove who they are, then decide on what they see."""
    seen = digest or ChangeRequest.objects.get(pk=change.pk).content_digest
    token = mint(
        user=person,
        session_key=SESSION,
        subject_kind="change",
        subject_id=change.pk,
        digest=seen,
        meaning=outcome,
        method="password",
        credential=PASSWORD,
    )
    return decide(
        ChangeRequest.objects.get(pk=change.pk),
        actor=person,
        outcome=outcome,
        comment=comment,
        digest=seen,
        token=token,
        session_key=SESSION,
    )


def fresh(change: ChangeRequest) -> ChangeRequest:
    """The row as it is now."""
    return ChangeRequest.objects.get(pk=change.pk)


def some_id() -> Any:
    """An id of nothing."""
    return uuid4()


def later(at: datetime, **by: float) -> datetime:
    """An instant after another."""
    from datetime import timedelta

    return at + timedelta(**by)
