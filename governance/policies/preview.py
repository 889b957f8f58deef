"""What a draft would have changed: the last evaluations, judged again with its rules."""

from __future__ import annotations

from dataclasses import dataclass

from governance.policies import rules
from governance.policies.evaluate import texts
from governance.policies.models import Evaluation, PolicyVersion
from stewardship.people.models import User
from stewardship.regions.models import Region

LATEST = 20


@dataclass(frozen=True)
class Changed:
    """One evaluation that would have come out differently."""

    evaluation: Evaluation
    verdict: str


@dataclass(frozen=True)
class Preview:
    """How many evaluations were judged again, and which verdicts would have been others."""

    judged: int
    changed: list[Changed]


def preview(version: PolicyVersion, *, user: User, latest: int = LATEST) -> Preview:
    """Judge the latest evaluations below the policy's region with this version in place of the one that was used.

    Only evaluations that `user` may see are judged. What other policies found then is kept as it was found.
    """
    below = Region.objects.ids_below([version.policy.region_id])
    seen = Evaluation.objects.allowed(user, Evaluation.view_right).filter(region_id__in=below)
    found = list(seen.select_related("model", "region").order_by("-at")[:latest])
    drafted = texts([version])
    changed = []
    for evaluation in found:
        verdict = rejudge(version.policy.slug, drafted, evaluation)
        if verdict != evaluation.verdict:
            changed.append(Changed(evaluation, verdict))
    return Preview(len(found), changed)


def rejudge(slug: str, drafted: list[rules.Text], evaluation: Evaluation) -> str:
    """The verdict on stored facts with these rules in place of what the policy `slug` found then."""
    waivers = {one["rule"]: one["waiver"] for one in evaluation.findings if one.get("waiver")}
    # A finding without a rule said that no policy was in force; with this version one would have been.
    kept = [one for one in evaluation.findings if one["rule"] and one["rule"].split("/")[0] != slug]
    return rules.verdict([*kept, *rules.findings(drafted, evaluation.facts, waivers)])
