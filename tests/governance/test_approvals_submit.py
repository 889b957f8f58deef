"""Submitting: what is missing, which route, who is vacant, and what is frozen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from config.portal.errors import IllegalTransition
from governance.approvals.errors import NoRoute, NotYetCompliant, VacantRole
from governance.approvals.models import Route
from governance.approvals.submit import submit
from governance.changes.draft import draft
from governance.changes.errors import Incomplete
from governance.changes.models import ChangeRequest, RollbackPlan, Status
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import fresh, full_draft, policy, route, with_evidence


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


@pytest.fixture
def change(cast: Cast, model: RegisteredModel, version: ModelVersion) -> ChangeRequest:
    return full_draft(cast, model, version)


def test_numbers_run_on_without_a_gap(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    first, second = full_draft(cast, model, version), full_draft(cast, model, version)
    assert second.number == first.number + 1
    assert first.reference == f"CR-{first.number}"


def test_a_submission_freezes_route_content_and_evaluation(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    rule = route(cast)
    with translation.override("de"):
        made = submit(change, actor=alice)
    change = fresh(change)
    assert change.status == Status.SUBMITTED
    assert change.revision == 1
    assert change.content_digest == change.digest()
    assert change.evidence[0]["kind"] == "metrics"
    assert change.revisions.get().content["evidence"] == change.evidence
    assert made.rule == rule
    assert made.evaluation.verdict == "allow"
    assert made.frozen["stages"] == rule.stages
    assert made.frozen["why"].startswith("Every change of this kind"), "what is frozen is in nobody's own language"
    assert [stage.status for stage in made.stages.order_by("order")] == ["active", "waiting"]
    first = made.stages.get(order=0).requirements.get()
    assert first.due_at is not None
    # A rule that changes afterwards changes nothing for a route under way.
    with acting(system_user(), "Another route"):
        rule.stages = [rule.stages[0]]
        rule.save()
    assert len(Route.objects.get(pk=made.pk).frozen["stages"]) == 2


def test_without_any_route_it_is_refused_with_who_can_configure_one(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    with pytest.raises(NoRoute) as refused:
        submit(change, actor=alice)
    assert "No approval route" in refused.value.message
    assert "Germany" in refused.value.message
    assert "regional admin" in refused.value.remedy
    assert change.status == Status.DRAFT
    assert fresh(change).status == Status.DRAFT
    assert change.revisions.count() == 0


def test_conditions_not_met_are_reported(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    route(cast, "de", name="Only staging", when="!target.production")
    with pytest.raises(NoRoute) as refused:
        submit(change, actor=alice)
    assert "Only staging (not met)" in refused.value.message


def test_a_stricter_rule_that_may_apply_is_not_passed_over(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    route(cast, "de", name="High tiers", when="model.tier <= 2", priority=9)
    route(cast, "de", name="All others", stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
    with pytest.raises(NoRoute) as refused:
        submit(change, actor=alice)  # nobody has given the model a tier
    assert "“High tiers” of Germany" in refused.value.message
    assert "model.tier" in refused.value.message
    assert "then submit again" in refused.value.remedy
    assert "regional admin" in refused.value.remedy
    change.model.set_tier(3, actor=system_user(), reason="Assessed")
    assert submit(fresh(change), actor=alice).rule.name == "All others"


def test_the_nearest_region_decides(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    route(cast, "global", priority=100)
    near = route(cast, "eu", name="EU", when="target.production", priority=1)
    route(cast, "eu", name="EU, weaker", priority=0)
    assert submit(change, actor=alice).rule == near


def test_an_inactive_rule_is_not_chosen(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    route(cast, active=False)
    with pytest.raises(NoRoute):
        submit(change, actor=alice)


def test_a_stage_that_nobody_can_meet_fails_now(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    route(cast, stages=[{"name": "Validation", "requirements": [{"role": "validator", "quorum": 2}]}])
    with pytest.raises(VacantRole) as refused:
        submit(change, actor=alice)
    assert "Validation" in refused.value.message
    assert "validator needs 2, and 1 may decide" in refused.value.message
    assert fresh(change).status == Status.DRAFT


def test_a_role_nobody_holds_or_nobody_defined_is_named(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    rule = route(cast, stages=[{"name": "Law", "requirements": [{"role": "lawyer"}]}])
    with pytest.raises(VacantRole, match="lawyer"):
        submit(change, actor=alice)
    with acting(system_user(), "Correct it"):
        rule.stages = [{"name": "Japan", "requirements": [{"role": "owner", "scope": "root"}]}]
        rule.save()
    with pytest.raises(VacantRole, match="model owner needs 1, and 0 may decide"):
        submit(change, actor=alice)


def test_whoever_worked_on_it_does_not_count_towards_a_quorum(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    policy(cast)
    route(cast, stages=[{"name": "Owner", "requirements": [{"role": "owner"}]}])
    change = full_draft(cast, model, version)
    with pytest.raises(VacantRole, match="excluded because they worked on it"):
        submit(change, actor=cast.users["alice"])


def test_what_is_missing_is_named_all_at_once(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    policy(cast)
    route(cast)
    change = full_draft(cast, model, version, rationale="", rollback=None)
    with pytest.raises(Incomplete) as refused:
        submit(change, actor=alice)
    assert [field for field, _remedy in refused.value.missing] == ["rationale", "rollback.trigger", "rollback.steps"]
    assert refused.value.field == "rationale"


def test_it_can_be_submitted_once(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    route(cast)
    submit(change, actor=alice)
    with pytest.raises(IllegalTransition):
        submit(fresh(change), actor=alice)


def test_two_reviews_of_one_move_are_refused(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    from governance.changes.errors import AlreadyInReview

    policy(cast)
    route(cast)
    submit(full_draft(cast, model, version), actor=alice)
    with pytest.raises(AlreadyInReview):
        submit(full_draft(cast, model, version), actor=alice)


def test_only_those_with_the_right_submit(cast: Cast, change: ChangeRequest, bob: User, gita: User) -> None:
    with pytest.raises(Forbidden):
        submit(change, actor=bob)
    with pytest.raises(NotVisible):
        submit(change, actor=gita)


def test_a_route_without_people_approves_at_once_and_names_the_rule(cast: Cast, change: ChangeRequest, alice: User) -> None:
    policy(cast)
    route(cast, name="Standing permission", human=False, stages=[], valid_days=14)
    made = submit(change, actor=alice)
    change = fresh(change)
    assert change.status == Status.APPROVED
    assert made.status == Route.Status.AGREED
    assert not made.human
    assert "Standing permission" in change.history.first().history_change_reason
    assert change.expires_at is not None
    assert change.decisions.count() == 0


@pytest.mark.parametrize("rules", [{"recall": "evidence.metrics.recall.low >= 0.99"}, {"brier": "evidence.metrics.brier.value < 1"}])
def test_a_route_without_people_never_passes_what_is_not_allowed(
    cast: Cast, change: ChangeRequest, alice: User, rules: dict[str, str]
) -> None:
    policy(cast, rules=rules)
    route(cast, human=False, stages=[])
    with pytest.raises(NotYetCompliant) as refused:
        submit(change, actor=alice)
    assert refused.value.remedy == "Attach evidence that shows it."
    assert fresh(change).status == Status.DRAFT


def test_without_any_policy_a_route_without_people_refuses(cast: Cast, change: ChangeRequest, alice: User) -> None:
    route(cast, human=False, stages=[])
    with pytest.raises(NotYetCompliant, match="undecided"):
        submit(change, actor=alice)


def test_a_version_of_another_model_is_refused(cast: Cast, change: ChangeRequest, foreign_model: RegisteredModel, alice: User) -> None:
    from config.portal.errors import Invalid

    with pytest.raises(Invalid) as refused:
        change.edit(actor=alice, version=make_version(foreign_model))
    assert refused.value.field == "version"
    with pytest.raises(Invalid) as refused:
        change.edit(actor=alice, rollback={"target_version": make_version(foreign_model, "2")})
    assert refused.value.field == "rollback.target_version"
    with pytest.raises(Invalid, match="status"):
        change.edit(actor=alice, status="approved")
    assert RollbackPlan.objects.get(change=change).target_version is None


def test_a_region_cannot_excuse_itself_from_a_rule_of_a_region_above(cast: Cast, model: RegisteredModel, alice: User) -> None:
    policy(cast)
    policy(cast, "de", rules={"tier": "model.tier == 1"})
    one = [{"name": "Review", "requirements": [{"role": "validator"}]}]
    own, above = route(cast, "de", kind="waiver", stages=one), route(cast, kind="waiver", stages=one)
    for rule, wanted in (("policy-de/tier", own), ("policy-global/recall", above)):
        asked = draft(
            actor=alice, kind="waiver", model=model, rationale="For now", waived_rule=rule, compensating_control="A second look",
            waiver_until=timezone.now() + timedelta(days=9),
        )  # fmt: skip
        assert submit(asked, actor=alice).rule == wanted
