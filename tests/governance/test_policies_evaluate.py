"""Policies of the root, the model's and the target's region apply together; waivers, people, and what is kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from governance.policies import hooks
from governance.policies.draft import add_rule, create_policy, next_version
from governance.policies.errors import NotWaivable
from governance.policies.evaluate import evaluate, helpers, judge, with_people
from governance.policies.models import Evaluation, PolicyVersion, Waiver
from governance.policies.waive import grant, who_decides
from stewardship.access.errors import Forbidden
from stewardship.inventory.models import RegisteredModel
from stewardship.journal import canonical
from stewardship.journal.acting import acting
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.roles.holders import Roll, scope_path
from tests.cast import Cast

FACTS: dict[str, Any] = {"model": {"tier": 2}, "evidence": {"metrics": {"recall": {"low": Decimal("0.81"), "value": Decimal("2.0")}}}}


def adopt(cast: Cast, system: User, region: str, expression: str, slug: str = "", **fields: Any) -> PolicyVersion:
    version = create_policy(actor=system, slug=slug or f"policy-{region}", name=f"Policy of {region}", region=cast.regions[region])
    add_rule(version, actor=system, key="recall", title="Recall is high.", expression=expression, **fields)
    version.publish(actor=system)
    return version


def test_without_any_policy_the_answer_is_undecided_and_names_whom_to_ask(model: RegisteredModel) -> None:
    judgement = judge(FACTS, model.region, timezone.now(), model=model)
    assert judgement.verdict == "undecided"
    assert judgement.reasons[0]["text"] == "No policy is in force for Germany."
    assert "compliance officer" in judgement.reasons[0]["remedy"]


def test_a_region_can_tighten_but_never_loosen(cast: Cast, system: User, model: RegisteredModel) -> None:
    adopt(cast, system, "global", "evidence.metrics.recall.low >= 0.85")
    adopt(cast, system, "de", "evidence.metrics.recall.low >= 0.10")
    judgement = judge(FACTS, model.region, timezone.now(), model=model)
    assert judgement.verdict == "deny"
    assert [(one["rule"], one["outcome"], one["region"], one["version"]) for one in judgement.findings] == [
        ("policy-global/recall", "not_met", "Global", 1),
        ("policy-de/recall", "met", "Germany", 1),
    ]


def test_policies_of_the_target_and_of_the_models_own_region_both_apply(cast: Cast, system: User, model: RegisteredModel) -> None:
    adopt(cast, system, "jp", "model.tier == 1")
    adopt(cast, system, "de", "model.tier == 2")
    adopt(cast, system, "fr", "false")
    judgement = judge(FACTS, cast.regions["jp"], timezone.now(), model=model)
    assert {one["rule"] for one in judgement.findings} == {"policy-jp/recall", "policy-de/recall"}
    by_slug = judge({**FACTS, "model": {"tier": 2, "slug": model.slug}}, cast.regions["jp"], timezone.now())
    assert by_slug.findings == judgement.findings
    assert [one["policy"] for one in judgement.policies] == ["policy-de", "policy-jp"]


def test_a_version_holds_from_its_start_to_its_end(cast: Cast, system: User, model: RegisteredModel) -> None:
    version = adopt(cast, system, "de", "true")
    assert version.effective_from is not None
    assert judge(FACTS, model.region, version.effective_from - timedelta(seconds=1)).verdict == "undecided"
    assert judge(FACTS, model.region, version.effective_from).verdict == "allow"
    version.retire(actor=system, reason="Replaced")
    assert version.effective_until is not None
    assert judge(FACTS, model.region, version.effective_from).verdict == "allow", "what held then is still known"
    assert judge(FACTS, model.region, version.effective_until).verdict == "undecided"


def test_an_evaluation_keeps_facts_findings_and_verdict(
    cast: Cast, system: User, model: RegisteredModel, alice: User, charlie: User
) -> None:
    adopt(cast, system, "eu", "evidence.metrics.recall.value >= 2")
    kept = evaluate(FACTS, subject_kind="change", subject_id=model.pk, model=model, region=model.region, at=timezone.now(), actor=alice)
    stored = Evaluation.objects.about("change", model.pk).get()
    assert stored == kept
    assert (stored.verdict, stored.actor_id) == ("allow", alice.pk)
    assert stored.facts_digest == canonical.digest(FACTS)
    assert stored.findings[0]["trace"] == [{"expression": "evidence.metrics.recall.value >= 2", "outcome": "met", "actual": 2, "bound": 2}]
    assert stored.policies[0]["policy"] == "policy-eu"
    assert list(Evaluation.objects.allowed(alice, Evaluation.view_right)) == [stored]
    assert not Evaluation.objects.allowed(charlie, Evaluation.view_right)
    assert str(stored) == "Tumour risk: allow"


def test_the_people_who_can_help_are_named_late(cast: Cast, system: User, model: RegisteredModel) -> None:
    adopt(cast, system, "eu", "model.tier == 1", remedy="Attach metrics.", remedy_role=cast.roles["validator"])
    adopt(cast, system, "de", "model.tier == 1", remedy="Ask.", remedy_role=cast.roles["pipeline"], slug="other")
    adopt(cast, system, "global", "model.tier == 2", remedy="Ask.", remedy_role=cast.roles["owner"])
    findings = judge(FACTS, model.region, timezone.now(), model=model).findings
    assert {one["who"] for one in findings} == {"validator", "pipeline", ""}, "stored findings hold no names"

    def named() -> dict[str, dict[str, Any]]:
        roll = Roll(helpers(findings), timezone.now(), paths=[scope_path(model, model.region)])
        return {one["rule"]: one for one in with_people(findings, model=model, region=model.region, roll=roll)}

    assert named()["policy-eu/recall"]["who"] == "Bob Berger (validator)"
    assert named()["policy-eu/recall"]["vacant"] is False
    cast.roles["pipeline"].assignments.get().end(actor=system, reason="Gone")
    vacant = named()["other/recall"]
    assert (vacant["who"], vacant["vacant"]) == ("pipeline", True)


def waive(model: RegisteredModel, actor: User, rule: str = "policy-de/recall", **fields: Any) -> Waiver:
    given: dict[str, Any] = {"region": model.region, "reason": "New clinic", "compensating_control": "Second reading"}
    given["expires_at"] = timezone.now() + timedelta(days=30)
    return grant(actor=actor, model=model, rule=rule, **{**given, **fields})


def test_a_waiver_covers_one_model_until_it_ends(
    cast: Cast, system: User, model: RegisteredModel, foreign_model: RegisteredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(cast, system, "de", "model.tier == 1")
    told: list[str] = []
    listener = lambda region, *, actor: told.append(region.code)  # noqa: E731
    monkeypatch.setattr(hooks, "_listeners", [])
    hooks.on_change(listener)
    hooks.on_change(listener)
    waiver = waive(model, system)
    now = timezone.now()
    assert judge(FACTS, model.region, now, model=model).verdict == "allow"
    assert judge(FACTS, model.region, now, model=foreign_model).verdict == "deny"
    assert judge(FACTS, model.region, waiver.expires_at, model=model).verdict == "deny"
    waiver.end(actor=system, reason="Fixed")
    waiver.end(actor=system, reason="Fixed")
    assert judge(FACTS, model.region, timezone.now(), model=model).verdict == "deny"
    assert told == ["de", "de"]
    assert waiver.history.count() == 2
    assert str(waiver) == "policy-de/recall · Tumour risk"


def test_a_waiver_holds_for_its_region_and_below_and_nowhere_else(cast: Cast, system: User, model: RegisteredModel) -> None:
    adopt(cast, system, "global", "model.tier == 1")
    waive(model, system, "policy-global/recall", region=cast.regions["eu"])
    verdicts = {code: judge(FACTS, cast.regions[code], timezone.now(), model=model).verdict for code in ("de", "fr", "eu", "emea", "jp")}
    assert verdicts == {"de": "allow", "fr": "allow", "eu": "allow", "emea": "deny", "jp": "deny"}


def test_a_rule_that_allows_no_exception_any_more_heeds_none(cast: Cast, system: User, model: RegisteredModel) -> None:
    version = adopt(cast, system, "de", "model.tier == 1")
    waive(model, system)
    stricter = next_version(version.policy, actor=system)
    rule = stricter.rules.get()
    rule.waivable = False
    with acting(system):
        rule.save()
    stricter.publish(actor=system)
    assert judge(FACTS, model.region, timezone.now(), model=model).verdict == "deny"


def test_practice_excuses_nothing_real(cast: Cast, system: User, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    adopt(cast, system, "global", "model.tier == 1")
    with acting(system):
        cast.regions["apac"].practice = True
        cast.regions["apac"].save()
    below = Region.objects.get(code="jp")
    with pytest.raises(NotWaivable) as refused:
        waive(model, system, "policy-global/recall", region=below)
    assert refused.value.field == "region"
    assert waive(RegisteredModel.objects.get(pk=foreign_model.pk), system, "policy-global/recall", region=below)


def test_who_made_the_rule_decides_about_an_exception_from_it(cast: Cast, system: User) -> None:
    for region in ("global", "eu", "de", "fr"):
        adopt(cast, system, region, "false")
    decide = {
        rule: who_decides(f"policy-{rule}/recall", cast.regions["de"], timezone.now()).code
        for rule in ("global", "eu", "de", "fr", "nowhere")
    }
    assert decide == {"global": "global", "eu": "eu", "de": "de", "fr": "eu", "nowhere": "de"}


def test_a_bare_key_names_a_rule_where_it_is_the_only_one(cast: Cast, system: User, model: RegisteredModel) -> None:
    adopt(cast, system, "de", "false")
    assert waive(model, system, "recall").rule == "policy-de/recall"
    adopt(cast, system, "eu", "false")
    with pytest.raises(NotWaivable, match="several rules") as refused:
        waive(model, system, "recall")
    assert refused.value.remedy == "Write one of: policy-de/recall, policy-eu/recall."


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"rule": "policy-de/other"}, "rule"),
        ({"rule": "strict/recall"}, "rule"),
        ({"reason": " "}, "reason"),
        ({"compensating_control": ""}, "compensating_control"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
    ],
)
def test_a_waiver_is_refused_with_its_field(cast: Cast, system: User, model: RegisteredModel, fields: dict[str, Any], field: str) -> None:
    adopt(cast, system, "de", "false")
    adopt(cast, system, "eu", "false", "strict", waivable=False)
    with pytest.raises(NotWaivable) as refused:
        waive(model, system, **fields)
    assert refused.value.field == field
    assert refused.value.remedy


def test_an_owner_cannot_waive(cast: Cast, system: User, model: RegisteredModel, alice: User) -> None:
    adopt(cast, system, "de", "false")
    with pytest.raises(Forbidden):
        waive(model, alice)
