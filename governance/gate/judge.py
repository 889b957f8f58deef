"""The full evaluation behind an answer: the agreement, the facts of this moment, the policies, and what is possible instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from governance.approvals.models import Requirement
from governance.changes.facts import Target, assemble, previous_deployment
from governance.changes.models import TARGETED, ChangeRequest, Kind, Status
from governance.changes.rules import superseded
from governance.evidence.facts import listed
from governance.gate import rules
from governance.gate.rules import Agreement, Reason
from governance.policies.evaluate import Judgement, judge
from governance.policies.rules import ALLOW
from stewardship.inventory.models import Environment, ModelVersion, Stage
from stewardship.regions.models import Region
from stewardship.roles.holders import accountable


@dataclass(frozen=True)
class Place:
    """A version at an environment of a region: what every answer is about."""

    version: ModelVersion
    environment: Environment
    region: Region

    @property
    def key(self) -> tuple[Any, Any, Any]:
        """The ids, in the order of the standing's columns."""
        return self.version.pk, self.environment.pk, self.region.pk


@dataclass(frozen=True)
class Result:
    """The answer at one moment and what it rests on."""

    verdict: str
    reasons: tuple[Reason, ...]
    change: ChangeRequest | None
    alternatives: tuple[dict[str, str], ...]
    judgement: Judgement
    practice: bool = False

    def as_document(self) -> dict[str, Any]:
        """What a standing keeps of it."""
        return {
            "reasons": [each.as_document() for each in self.reasons],
            "alternatives": list(self.alternatives),
            "change": str(self.change.pk) if self.change else None,
            "policies": self.judgement.policies,
            "practice": self.practice,
        }


def evaluate(place: Place, at: datetime) -> Result:
    """May this version run there, at this moment? Reads everything anew and writes nothing."""
    agreement, change, approval = agreement_for(place, at)
    target = Target(place.version.model, place.version, place.environment, place.region, change.kind if change else Kind.DEPLOYMENT, change)
    facts = assemble(target, at)
    judgement = judge(facts, place.region, at, model=place.version.model)
    outcome = rules.weigh(
        agreement=agreement, approval=approval, retired=_retired(place), policy=judgement.verdict, findings=judgement.reasons
    )
    practice = place.region.practice
    return Result(
        verdict=outcome.verdict,
        reasons=(*outcome.reasons, _for_practice(place)) if practice else outcome.reasons,
        change=change if agreement is Agreement.HOLDS else None,
        alternatives=() if outcome.verdict == ALLOW else _alternatives(place, target, facts, at),
        judgement=judgement,
        practice=practice,
    )


def agreement_for(place: Place, at: datetime) -> tuple[Agreement, ChangeRequest | None, Reason | None]:
    """The approval this place rests on, or why none holds; with the change whose content is judged, be it in review or superseded."""
    found = list(
        ChangeRequest.objects.for_target(version=place.version, environment=place.environment, region=place.region)
        .filter(kind__in=TARGETED, status__in=[Status.APPROVED, Status.IMPLEMENTED, Status.SUBMITTED])
        .select_related("model__region", "version", "environment", "region", "rollback__target_version", "owner")
        .order_by("-decided_at", "-number")
    )
    agreed = [each for each in found if each.status != Status.SUBMITTED]
    # A change that is approved and has run out is no agreement, whether or not the chore has said so yet.
    current = [each for each in agreed if each.status == Status.IMPLEMENTED or each.expires_at is None or each.expires_at > at]
    evidence = listed(place.version) if current else []
    for change in current:
        if change.content_digest != change.digest():
            return Agreement.ALTERED, None, _altered(change)
        if change.evidence != evidence:
            return Agreement.ALTERED, None, _other_evidence(change)
        if not superseded(change.implemented_at or change.decided_at, _implemented_there(place)):
            return Agreement.HOLDS, change, None
    if current:
        return Agreement.SUPERSEDED, current[0], _superseded(current[0])
    if waiting := next((each for each in found if each.status == Status.SUBMITTED), None):
        return Agreement.IN_REVIEW, waiting, _in_review(waiting)
    return Agreement.NONE, None, _nothing(place, at)


def _implemented_there(place: Place) -> list[tuple[Any, bool]]:
    rows = ChangeRequest.objects.filter(
        model=place.version.model_id, environment=place.environment, region=place.region, status=Status.IMPLEMENTED
    ).values_list("implemented_at", "version_id")
    return [(implemented_at, version == place.version.pk) for implemented_at, version in rows]


def _retired(place: Place) -> Reason | None:
    if place.version.model.stage != Stage.RETIRED:
        return None
    return Reason(
        "retired", _("%(model)s is retired.") % {"model": place.version.model}, _("Use a model that is not, or register a new one.")
    )


def _for_practice(place: Place) -> Reason:
    return Reason(
        "practice",
        _("%(region)s is a region for practising, so this answer comes without a permit.") % {"region": place.region},
        _("Ask for a region where models run for real."),
    )


def _altered(change: ChangeRequest) -> Reason:
    return Reason(
        "approval",
        _("The content of %(reference)s is not what was approved.") % {"reference": change.reference},
        _("Find out who altered it, and submit a new change."),
        str(change.owner),
    )


def _other_evidence(change: ChangeRequest) -> Reason:
    return Reason(
        "approval",
        _("The evidence is not what was approved with %(reference)s.") % {"reference": change.reference},
        _("Attach again what was agreed to, or submit a new change so that people agree to the evidence as it is now."),
        str(change.owner),
    )


def _superseded(change: ChangeRequest) -> Reason:
    return Reason(
        "approval",
        _("%(reference)s was approved, but another version has taken the place since.") % {"reference": change.reference},
        _("Open a rollback or a new deployment change: the approval was given against what ran then."),
        str(change.owner),
    )


def _in_review(change: ChangeRequest) -> Reason:
    asked = Requirement.objects.asked().filter(stage__route__change=change).select_related("role")
    return Reason(
        "approval",
        _("%(reference)s is in review.") % {"reference": change.reference},
        _("Wait for the decision, or ask for it."),
        ", ".join(sorted({str(each.role) for each in asked})),
    )


def _nothing(place: Place, at: datetime) -> Reason:
    return Reason(
        "approval",
        _("Nobody has approved %(version)s for %(environment)s in %(region)s.")
        % {"version": place.version.label, "environment": place.environment.name, "region": place.region.name},
        _("Open a deployment change for it and have it approved."),
        str(accountable(place.version.model, at) or ""),
    )


def _alternatives(place: Place, target: Target, facts: dict[str, Any], at: datetime) -> tuple[dict[str, str], ...]:
    """What is allowed instead: the version that runs there, and environments whose rules this version meets."""
    found = []
    live = previous_deployment(target, at)
    if live is not None and agreement_for(Place(live.version, place.environment, place.region), at)[0] is Agreement.HOLDS:
        found.append(
            {
                "kind": "version",
                "version": live.version.label,
                "environment": place.environment.slug,
                "text": _("%(version)s is approved there and runs there now.") % {"version": live.version.label},
            }
        )
    for other in Environment.objects.filter(order__lt=place.environment.order).order_by("-order"):
        elsewhere = facts | {"target": facts["target"] | {"environment": other.slug, "production": other.production}}
        if judge(elsewhere, place.region, at, model=place.version.model).verdict != ALLOW:
            continue
        if agreement_for(Place(place.version, other, place.region), at)[0] is Agreement.HOLDS:
            text = _("%(version)s may go to %(environment)s now.") % {"version": place.version.label, "environment": other.name}
        else:
            text = _("%(version)s meets every rule for %(environment)s; there it needs an approval only.") % {
                "version": place.version.label,
                "environment": other.name,
            }
        found.append({"kind": "environment", "version": place.version.label, "environment": other.slug, "text": text})
    return tuple(found)
