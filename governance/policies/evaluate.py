"""Hold facts against every policy in force on the way from the root to the model's and the target's region."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from governance.policies import rules
from governance.policies.models import Evaluation, PolicyVersion, Rule, Waiver
from governance.policies.rights import PolicyRight
from stewardship.access.rights import who_can
from stewardship.inventory.models import RegisteredModel
from stewardship.journal import canonical
from stewardship.journal.acting import acting
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.roles.holders import Roll, scope_path


@dataclass(frozen=True)
class Judgement:
    """What the policies say, not yet written down."""

    verdict: str
    findings: list[dict[str, Any]]
    policies: list[dict[str, Any]]
    facts: dict[str, Any]

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """The findings that hinder, first ones first."""
        return [one for one in self.findings if one["severity"] not in ("warn", "info") and one["outcome"] not in (rules.MET, rules.WAIVED)]


def judge(facts: dict[str, Any], region: Region, at: datetime, *, model: RegisteredModel | None = None) -> Judgement:
    """The verdict on these facts at this instant, without writing anything.

    `model` widens the way to the policies of its own region and brings its waivers; without it, it is found by facts.model.slug.
    No policy in force gives "undecided" with the reason.
    """
    # The stored form is what is judged: a Decimal 2.0 and an int 2 must not differ, now or when it is judged again.
    facts = canonical.load(canonical.dump(facts))
    model = model or _model_of(facts)
    path = _path(region, model)
    versions = list(PolicyVersion.objects.in_force(at, path).select_related("policy__region").order_by("policy__slug", "number"))
    if not versions:
        return Judgement(rules.UNDECIDED, [rules.none_in_force(region.name, ", ".join(who_can(PolicyRight.CONFIGURE)))], [], facts)
    found = rules.findings(texts(versions), facts, _waivers(model, region, at))
    return Judgement(rules.verdict(found), found, [_reference(version) for version in versions], facts)


def evaluate(
    facts: dict[str, Any],
    *,
    subject_kind: str,
    subject_id: UUID,
    model: RegisteredModel,
    region: Region,
    at: datetime,
    actor: User,
) -> Evaluation:
    """Judge and keep: facts, trace, findings and verdict in one row that never changes."""
    judgement = judge(facts, region, at, model=model)
    evaluation = Evaluation(
        subject_kind=subject_kind,
        subject_id=subject_id,
        model=model,
        region=region,
        facts=judgement.facts,
        facts_digest=canonical.digest(judgement.facts),
        policies=judgement.policies,
        findings=judgement.findings,
        verdict=judgement.verdict,
    )
    with transaction.atomic(), acting(actor):
        evaluation.save()
    return evaluation


def texts(versions: Iterable[PolicyVersion]) -> list[rules.Text]:
    """The rules of these versions as plain data; one query. Expects policy and its region to be loaded."""
    known = {version.pk: version for version in versions}
    found = Rule.objects.filter(version_id__in=known).select_related("remedy_role", "clause__framework")
    return [_text(rule, known[rule.version_id]) for rule in found]


def helpers(findings: Iterable[dict[str, Any]]) -> set[str]:
    """The slugs of the roles that can supply a remedy which is still wanted."""
    return {one["role"] for one in findings if one.get("role") and one["outcome"] not in (rules.MET, rules.WAIVED)}


def with_people(findings: Sequence[dict[str, Any]], *, model: RegisteredModel, region: Region, roll: Roll) -> list[dict[str, Any]]:
    """The findings with the people who can supply each remedy now. Stored findings name the role only: people change."""
    path = scope_path(model, region)
    people = {role: ", ".join(str(holder.user) for holder in roll.held(role, path)) for role in helpers(findings)}
    return [_with(one, people[one["role"]]) if helpers([one]) else one for one in findings]


def _with(one: dict[str, Any], people: str) -> dict[str, Any]:
    return {**one, "who": f"{people} ({one['who']})" if people else one["who"], "vacant": not people}


def _text(rule: Rule, version: PolicyVersion) -> rules.Text:
    return rules.Text(
        name=f"{version.policy.slug}/{rule.key}",
        title=rule.title,
        applies_when=rule.applies_when,
        expression=rule.expression,
        severity=rule.severity,
        remedy=rule.remedy,
        who=rule.remedy_role.name if rule.remedy_role else "",
        role=rule.remedy_role.slug if rule.remedy_role else "",
        rationale=rule.rationale,
        clause=str(rule.clause) if rule.clause else "",
        region=version.policy.region.name,
        policy=version.policy.name,
        version=version.number,
        waivable=rule.waivable,
    )


def _reference(version: PolicyVersion) -> dict[str, Any]:
    return {"policy": version.policy.slug, "version": version.number, "id": str(version.pk), "region": version.policy.region.code}


def _model_of(facts: dict[str, Any]) -> RegisteredModel | None:
    named = facts.get("model")
    slug = named.get("slug") if isinstance(named, dict) else None
    return RegisteredModel.objects.select_related("region").filter(slug=slug).first() if isinstance(slug, str) else None


def _path(region: Region, model: RegisteredModel | None) -> set[UUID]:
    path = set(region.way_up())
    if model is not None and model.region_id not in path:
        path |= set(model.region.way_up())
    return path


def _waivers(model: RegisteredModel | None, target: Region, at: datetime) -> dict[str, str]:
    if model is None:
        return {}
    return {waiver.rule: str(waiver.pk) for waiver in Waiver.objects.in_force(at).covering(model, target)}
