"""Everything a report about a model says, as plain values: made of journalled rows, so that equal rows give an equal report."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from governance.audits.attach import checkpoint
from governance.audits.errors import RowDiffers
from governance.audits.models import Report
from governance.audits.report import people, rules, story
from governance.audits.report.changes import Change, changes
from governance.audits.report.monitoring import AlertLine, alerts
from governance.audits.report.names import Names, title_of
from governance.audits.report.versions import Version, deployments, versions
from governance.audits.rows import Row, Rows

APPROVED = frozenset({"approved", "implemented"})


@dataclass(frozen=True)
class ProofRow:
    """One attached row, as the proof lists it."""

    index: int
    digest: str
    kind: str
    at: datetime


@dataclass
class Context:
    """The report, ready for its template."""

    report: Report
    model: Any
    family: str
    region: str
    origin: str
    example: bool
    root: str
    note: str
    seal: str
    requested_by: str
    answers: list[str]
    findings: list[rules.Finding]
    holders: list[people.Held]
    versions: list[Version]
    deployments: list[Any]
    changes: list[Change]
    alerts: list[AlertLine]
    lines: list[story.Line]
    quiet: int
    waivers: list[Any]
    assessments: list[Any]
    verdicts: list[dict[str, Any]]
    objects: int
    proof: list[ProofRow] = field(default_factory=list)


def build(report: Report, rows: Rows, seal: str) -> Context:
    """The context of a report over rows that were collected at its size."""
    told = Rows([one for one in rows.all if story.moment_of(one) <= report.as_of])
    names = Names(told.all, report.as_of, report.size, people=[report.requested_by_id])
    head = checkpoint(report.size)
    model = _model(told, report)
    lines, quiet = story.tell(told.all, names)
    made_versions = versions(told, names)
    made_changes = changes(told, names)
    made_alerts = alerts(told, names)
    held = people.held(told, names, model, report.as_of)
    facts = _facts(report, told, names, model, held, made_versions, made_changes, made_alerts)
    found = rules.findings(facts)
    return Context(
        report=report,
        model=model,
        family=names.of(model.family_id),
        region=" › ".join(names.of(one) for one in reversed(names.region_chain(model.region_id))),
        origin=settings.JOURNAL_ORIGIN,
        example=settings.JOURNAL_ORIGIN.endswith(".invalid"),
        root=head.root,
        note=head.note,
        seal=seal,
        requested_by=names.of(report.requested_by_id),
        answers=_answers(model, held, made_versions, made_changes, made_alerts, found),
        findings=found,
        holders=held,
        versions=made_versions,
        deployments=deployments(told, names),
        changes=made_changes,
        alerts=made_alerts,
        lines=lines,
        quiet=quiet,
        waivers=[one.row for one in told.latest("governance.Waiver")],
        assessments=[(one.row, names.of(one.leaf["actor"])) for one in told.facts("governance.Assessment")],
        verdicts=_verdicts(told, names),
        objects=len({one.obj for one in rows.all}),
        proof=[ProofRow(one.index, one.leaf_hash.hex(), _kind(one), story.moment_of(one)) for one in rows.all],
    )


def _model(rows: Rows, report: Report) -> Any:
    found = [one.row for one in rows.latest("stewardship.RegisteredModel") if str(one.row.id) == str(report.model_id)]
    if not found:
        raise RowDiffers(
            _("The journal at %(size)d entries does not know this model.") % {"size": report.size},
            remedy=_("Run “manage.py journal verify”: something was removed behind the portal."),
        )
    return found[-1]


def _kind(one: Row) -> str:
    instance = getattr(one.row, "instance_type", type(one.row))
    return str(instance._meta.verbose_name)


def _verdicts(rows: Rows, names: Names) -> list[dict[str, Any]]:
    """Gate answers, counted where the same was answered again: a pipeline asks often."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for one in rows.facts("governance.Verdict"):
        groups[one.row.version_id, one.row.environment_id, one.row.region_id, one.row.verdict].append(one)
    return [
        {
            "version": names.of(version) or names.of(some[-1].row.version_id),
            "place": f"{names.of(environment)}, {names.of(region)}",
            "verdict": verdict,
            "label": some[-1].row.get_verdict_display(),
            "count": len(some),
            "last": story.moment_of(some[-1]),
            "reasons": [str(reason.get("text", "")) for reason in some[-1].row.reasons if isinstance(reason, dict)],
            "index": some[-1].index,
        }
        for (version, environment, region, verdict), some in groups.items()
    ]


def _answers(
    model: Any, held: list[people.Held], made: list[Version], changed: list[Change], alerted: list[AlertLine], found: list[rules.Finding]
) -> list[str]:
    """The questions of the first page, each answered in a sentence."""
    accountable = next((one for one in held if one.accountable), None)
    live = [f"{version.label} ({place})" for version in made for place in version.live]
    outcomes = Counter(change.status for change in changed)
    open_alerts = [one for one in alerted if not one.resolved]
    worst = sum(one.weight == "act" for one in found)
    return [
        _("%(name)s answers for this model (%(role)s, %(scope)s).")
        % {"name": accountable.name, "role": accountable.role, "scope": accountable.scope}
        if accountable
        else _("Nobody answers for this model."),
        _("Stage: %(stage)s. Risk tier: %(tier)s.")
        % {"stage": str(model.get_stage_display()).capitalize(), "tier": model.tier or _("not set")},
        _("In use: %(live)s.") % {"live": ", ".join(live)} if live else _("No version is in use."),
        _("Changes: %(count)d (%(parts)s).")
        % {"count": len(changed), "parts": ", ".join(f"{count} {status.lower()}" for status, count in outcomes.items())}
        if changed
        else _("No change was ever requested."),
        _("Alerts: %(count)d, unresolved: %(open)d.") % {"count": len(alerted), "open": len(open_alerts)},
        _standing(worst, len(found)),
    ]


def _standing(worst: int, count: int) -> str:
    if not count:
        return _("Nothing was found that needs an explanation.")
    if not worst:
        return _("Findings that need an explanation: %(count)d; none of them is serious.") % {"count": count}
    return _("Findings: %(count)d; %(worst)d of them should be put right before this report is handed over.") % {
        "count": count,
        "worst": worst,
    }


def _facts(
    report: Report,
    rows: Rows,
    names: Names,
    model: Any,
    held: list[people.Held],
    made: list[Version],
    changed: list[Change],
    alerted: list[AlertLine],
) -> rules.Facts:
    approved = {(change.version_id, change.environment_id, change.region_id) for change in changed if change.status_code in APPROVED}
    live = [
        rules.Live(
            names.of(one.row.version_id),
            f"{names.of(one.row.environment_id)}, {names.of(one.row.region_id)}",
            (str(one.row.version_id), str(one.row.environment_id), str(one.row.region_id)) in approved,
            any(version.id == str(one.row.version_id) and version.artifacts for version in made),
        )
        for one in rows.latest("stewardship.Deployment")
        if one.row.ended_at is None
    ]
    assessments = rows.facts("governance.Assessment")
    artifacts = [one.row for one in rows.latest("governance.Artifact")]
    return rules.Facts(
        at=report.as_of,
        accountable=next((one.name for one in held if one.accountable), ""),
        tier=model.tier,
        ruled=model.ruling != "pending",
        assessed_at=story.moment_of(assessments[-1]) if assessments else None,
        live=live,
        not_allowed=[
            (one.title, one.evaluation.label)
            for one in changed
            if one.status_code in APPROVED and one.evaluation and one.evaluation.verdict != "allow"
        ],
        overdue=[(change.title, *late) for change in changed for late in change.overdue(report.as_of)],
        open_alerts=[(one.title, one.level) for one in alerted if not one.resolved],
        unjudged_alerts=sum(one.resolution == "source" for one in alerted),
        unread_evidence=[title_of(one) for one in artifacts if one.problem],
        waivers=[(one.row.rule, one.row.expires_at) for one in rows.latest("governance.Waiver") if one.row.ended_at is None],
        unanswered=[one.row.label for one in rows.latest("stewardship.Run") if one.row.status == "ended"],
        gaps=[one.row.label for one in rows.latest("stewardship.Gap") if one.row.closed_at is None],
        entered_later=sum(story.is_late(one) for one in rows.all),
        rows=len(rows.all),
    )
