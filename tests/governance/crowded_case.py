"""Changes whose pages have everything to show: three roles at once, a team, somebody absent, a discussion, an escalation path, a waiver."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people import standing
from stewardship.people.models import Team, system_user
from stewardship.roles.assign import assign
from stewardship.threads.comment import comment
from tests.cast import Cast
from tests.governance.change_case import decides, full_draft, policy, route
from tests.governance.test_approvals_overdue import a_path

AT_ONCE = [
    {
        "name": "Everybody",
        "requirements": [
            {"role": "validator", "scope": "model", "quorum": 2, "within_minutes": 480},
            {"role": "risk", "scope": "region", "within_minutes": 480},
            {"role": "executive", "scope": "root", "within_minutes": 480},
        ],
    }
]


def everybody(cast: Cast) -> None:
    """A path for overdue approvals, a second team of validators, and an executive who is away."""
    system, now = system_user(), timezone.now()
    a_path(cast)
    team = Team(slug="second", name="Second readers", region=cast.regions["eu"])
    with acting(system):
        team.save()
    for name in ("charlie", "ivan"):
        standing.join(team, cast.users[name], actor=system)
    assign(actor=system, role="validator", team=team, region=cast.regions["eu"], rationale="They read it, too")
    erin, away = cast.users["erin"], {"starts": now, "ends": now + timedelta(days=3)}
    standing.be_absent(erin, actor=erin, **away)
    standing.delegate(erin, cast.users["dana"], actor=erin, **away)


def crowded(cast: Cast, model: RegisteredModel, version: ModelVersion) -> ChangeRequest:
    """A deployment in review: one decision, one comment, one rule that warns; `everybody` is asked."""
    policy(cast, "eu", rules={"latency": "evidence.metrics.recall.low >= 0.99"}, severity="warn")
    route(cast, "de", stages=AT_ONCE)
    change = full_draft(cast, model, version)
    submit(change, actor=cast.users["alice"])
    bob = cast.users["bob"]
    comment(actor=bob, subject_kind="change", subject_id=change.pk, model=model, region=change.region, text="Which threshold?")
    decides(change, bob, comment="Fine")
    return change


def waiver(cast: Cast, model: RegisteredModel) -> ChangeRequest:
    """A waiver of the rule of `change_case.policy`, in review; `everybody` is asked."""
    route(cast, kind="waiver", stages=AT_ONCE)
    change = full_draft(
        cast, model, None, kind="waiver", environment=None, rollback=None, waived_rule="policy-global/recall",
        compensating_control="A second reader", waiver_until=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    submit(change, actor=cast.users["alice"])
    return change
