"""A policy is drafted, published and retired; a published version never changes; a preview says what a draft would do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from config.portal.errors import Conflict, IllegalTransition
from governance.policies.cel import ExpressionError
from governance.policies.draft import add_rule, create_policy, next_version
from governance.policies.errors import NotPublishable, PolicyIsFixed
from governance.policies.evaluate import evaluate
from governance.policies.models import Policy, PolicyVersion, Rule
from governance.policies.preview import preview
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User
from tests.cast import Cast


@pytest.fixture
def draft(cast: Cast, dana: User) -> PolicyVersion:
    version = create_policy(actor=dana, slug="base", name="Base policy", region=cast.regions["global"])
    add_rule(version, actor=dana, key="tier", title="The tier is known.", expression="has(model.tier)")
    return version


def test_a_draft_comes_into_force_and_is_replaced_by_the_next(draft: PolicyVersion, dana: User) -> None:
    draft.publish(actor=dana, reason="Adopted by the board")
    second = next_version(draft.policy, actor=dana, notes="Stricter")
    assert (second.number, [rule.key for rule in second.rules.all()]) == (2, ["tier"])
    second.publish(actor=dana)
    draft.refresh_from_db()
    assert (draft.status, draft.effective_until) == ("retired", second.effective_from)
    assert list(PolicyVersion.objects.in_force(timezone.now())) == [second]
    assert [row.history_change_reason for row in draft.history.order_by("history_id")][:2] == ["", "Adopted by the board"]
    assert str(second) == "Base policy 2"
    assert str(second.rules.get()) == "base/tier"


def test_a_version_may_begin_later_and_the_one_before_holds_until_then(draft: PolicyVersion, dana: User) -> None:
    draft.publish(actor=dana)
    later = timezone.now() + timedelta(days=3)
    second = next_version(draft.policy, actor=dana)
    second.publish(actor=dana, effective_from=later)
    assert list(PolicyVersion.objects.in_force(timezone.now())) == [draft]
    assert list(PolicyVersion.objects.in_force(later)) == [second]
    third = next_version(draft.policy, actor=dana)
    third.publish(actor=dana, effective_from=later - timedelta(days=1))
    second.refresh_from_db()
    assert (second.status, second.effective_until) == ("retired", second.effective_from), "it never held"
    assert list(PolicyVersion.objects.in_force(later)) == [third]


def test_what_cannot_come_into_force(cast: Cast, draft: PolicyVersion, dana: User) -> None:
    empty = create_policy(actor=dana, slug="empty", name="Empty", region=cast.regions["global"])
    with pytest.raises(NotPublishable, match="no rules"):
        empty.publish(actor=dana)
    with pytest.raises(NotPublishable, match="past"):
        draft.publish(actor=dana, effective_from=timezone.now() - timedelta(days=1))
    draft.refresh_from_db()
    draft.publish(actor=dana)
    with pytest.raises(IllegalTransition):
        draft.publish(actor=dana)
    draft.retire(actor=dana, reason="Superseded by law")
    with pytest.raises(IllegalTransition):
        draft.retire(actor=dana, reason="Again")


def test_a_draft_can_be_dropped(draft: PolicyVersion, dana: User) -> None:
    draft.retire(actor=dana, reason="Not needed")
    assert (draft.status, draft.effective_from) == ("retired", None)
    assert not PolicyVersion.objects.in_force(timezone.now()).exists()


def test_a_published_version_never_changes(draft: PolicyVersion, dana: User) -> None:
    rule = draft.rules.get()
    draft.publish(actor=dana)
    rule.expression = "true"
    with acting(dana), pytest.raises(PolicyIsFixed):
        rule.save()
    with acting(dana), pytest.raises(PolicyIsFixed):
        rule.delete()
    with pytest.raises(PolicyIsFixed):
        add_rule(draft, actor=dana, key="more", title="More.", expression="true")
    assert Rule.objects.get().expression == "has(model.tier)"


@pytest.mark.parametrize("name", ["region", "slug"])
def test_region_and_slug_are_settled_by_the_first_publication(cast: Cast, draft: PolicyVersion, dana: User, name: str) -> None:
    policy = Policy.objects.get(pk=draft.policy_id)
    with acting(dana):
        policy.slug = "better"
        policy.save()
    draft.publish(actor=dana)
    setattr(policy, name, {"region": cast.regions["jp"], "slug": "another"}[name])
    with acting(dana), pytest.raises(PolicyIsFixed):
        policy.save()
    policy.refresh_from_db()
    policy.name = "What it is called may change"
    with acting(dana):
        policy.save()


def test_a_rule_of_a_draft_can_be_deleted(draft: PolicyVersion, dana: User) -> None:
    with acting(dana):
        draft.rules.get().delete()
    assert not draft.rules.exists()


def test_one_draft_at_a_time_and_one_slug(cast: Cast, draft: PolicyVersion, dana: User) -> None:
    with pytest.raises(Conflict, match="draft already"):
        next_version(draft.policy, actor=dana)
    with pytest.raises(Conflict, match="already") as refused:
        create_policy(actor=dana, slug="base", name="Again", region=cast.regions["eu"])
    assert refused.value.field == "slug"


def test_a_regional_admin_writes_policies_of_their_own_region_only(cast: Cast, draft: PolicyVersion, frank: User, alice: User) -> None:
    assert create_policy(actor=frank, slug="eu", name="EU", region=cast.regions["eu"]).number == 1
    with pytest.raises(Forbidden):
        create_policy(actor=alice, slug="de", name="DE", region=cast.regions["de"])
    for verb in (
        lambda: draft.publish(actor=frank),
        lambda: draft.retire(actor=frank, reason="No"),
        lambda: next_version(draft.policy, actor=frank),
    ):
        with pytest.raises((Forbidden, NotVisible)):
            verb()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("model.tier = 1", "Write == to compare."),
        ("modle.tier == 1", "There is no fact 'modle'"),
        ("zzz == 1", "There is no fact 'zzz'"),
        (" ", "ends where a value is expected"),
    ],
)
def test_an_expression_is_read_when_it_is_saved(draft: PolicyVersion, dana: User, expression: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        add_rule(draft, actor=dana, key="new", title="New.", expression=expression)
    assert draft.rules.count() == 1


def test_a_form_shows_the_place_and_a_guess(draft: PolicyVersion) -> None:
    rule = Rule(version=draft, key="x", title="X", expression="modle.tier == 1", applies_when="target.production and true")
    with pytest.raises(ValidationError) as refused:
        rule.clean()
    assert refused.value.message_dict["applies_when"][1:] == ["<pre>target.production and true\n                  ^</pre>"]
    rule.applies_when = ""
    with pytest.raises(ValidationError) as refused:
        rule.clean()
    assert refused.value.message_dict["expression"] == [
        "There is no fact 'modle' (column 1).",
        "Did you mean 'model'?",
        "<pre>modle.tier == 1\n^</pre>",
    ]
    rule.expression = "model.tier == 1"
    rule.clean()


def test_a_preview_judges_the_latest_evaluations_again(
    draft: PolicyVersion, dana: User, system: User, model: RegisteredModel, charlie: User
) -> None:
    facts: list[dict[str, Any]] = [{"model": {"tier": tier}} for tier in (1, 2, 3)]
    draft.publish(actor=dana)
    for one in facts:
        evaluate(one, subject_kind="change", subject_id=model.pk, model=model, region=model.region, at=timezone.now(), actor=system)
    second = next_version(draft.policy, actor=dana)
    rule = second.rules.get()
    rule.expression = "model.tier >= 2"
    with acting(dana):
        rule.save()
    found = preview(second, user=dana)
    assert (found.judged, [(one.evaluation.facts["model"]["tier"], one.verdict) for one in found.changed]) == (3, [(1, "deny")])
    assert preview(second, user=charlie).judged == 0
    assert preview(second, user=dana, latest=1).judged == 1


def test_a_preview_counts_what_had_no_policy_before(draft: PolicyVersion, dana: User, system: User, model: RegisteredModel) -> None:
    evaluate(
        {"model": {"tier": 1}},
        subject_kind="change",
        subject_id=model.pk,
        model=model,
        region=model.region,
        at=timezone.now(),
        actor=system,
    )
    assert [(one.evaluation.verdict, one.verdict) for one in preview(draft, user=dana).changed] == [("undecided", "allow")]
