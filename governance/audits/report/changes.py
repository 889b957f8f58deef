"""Changes with what was decided, by whom, on which content, and what the policies said."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from governance.audits.report.names import Names, title_of
from governance.audits.report.story import moment_of
from governance.audits.rows import Row, Rows

WORST = {"not_met": 0, "unknown": 1, "waived": 2, "met": 3}
MARKS = {"met": "✓", "not_met": "✗", "unknown": "?", "waived": "~"}


@dataclass(frozen=True)
class Signed:
    """A decision with the manifestation of its signature (21 CFR 11.50): printed name, date and time, meaning."""

    outcome: str
    printed_name: str
    role: str
    acting_for: str
    at: datetime
    meaning: str
    method: str
    digest: str
    comment: str
    revision: int
    index: int


@dataclass(frozen=True)
class Evaluated:
    """What the policies said, each rule with its trace."""

    verdict: str
    label: str
    at: datetime
    facts_digest: str
    findings: list[dict[str, Any]]
    index: int


@dataclass(frozen=True)
class Change:
    """One change request."""

    title: str
    kind: str
    status: str
    status_code: str
    version_id: str
    environment_id: str
    region_id: str
    target: str
    rationale: str
    origin: str
    submitted_by: str
    submitted_at: datetime | None
    decided_at: datetime | None
    digest: str
    revision: int
    index: int
    sections: list[tuple[str, str]]
    decisions: list[Signed] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)
    waiting: list[tuple[str, datetime]] = field(default_factory=list)

    @property
    def evaluation(self) -> Evaluated | None:
        """The last one."""
        return self.evaluations[-1] if self.evaluations else None

    def overdue(self, at: datetime) -> list[tuple[str, datetime]]:
        """Roles that should have decided by now."""
        return [(role, due) for role, due in self.waiting if due <= at and self.status_code == "submitted"]


def changes(rows: Rows, names: Names) -> list[Change]:
    """Newest first."""
    decisions = _by(rows.facts("governance.Decision"), "change_id")
    evaluations = _by(rows.facts("governance.Evaluation"), "subject_id")
    signatures = {str(one.row.pk): one.row for one in rows.facts("stewardship.Signature")}
    waiting = _waiting(rows, names)
    found = [
        Change(
            title=title_of(row := one.row),
            kind=row.get_kind_display(),
            status=row.get_status_display(),
            status_code=row.status,
            version_id=str(row.version_id),
            environment_id=str(row.environment_id),
            region_id=str(row.region_id),
            target=" · ".join(filter(None, (names.of(row.version_id), names.of(row.environment_id), names.of(row.region_id)))),
            rationale=row.rationale,
            origin=row.origin_label,
            submitted_by=names.of(row.submitted_by_id),
            submitted_at=row.submitted_at,
            decided_at=row.decided_at,
            digest=row.content_digest,
            revision=row.revision,
            index=one.index,
            sections=_sections(row),
            decisions=[_signed(decision, signatures, names) for decision in decisions[str(row.id)]],
            evaluations=[_evaluated(evaluation) for evaluation in evaluations[str(row.id)]],
            waiting=waiting[str(row.id)],
        )
        for one in rows.latest("governance.ChangeRequest")
    ]
    return sorted(found, key=lambda change: change.index, reverse=True)


def _by(rows: list[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for one in rows:
        found[str(getattr(one.row, column))].append(one)
    return found


def _sections(row: Any) -> list[tuple[str, str]]:
    """The written parts that an approver read, where anything was written."""
    names = ("observed_shifts", "policy_considerations", "ethical_considerations", "rollout_plan", "release_notes", "compensating_control")
    return [(str(row._meta.get_field(name).verbose_name), str(getattr(row, name))) for name in names if getattr(row, name, "")]


def _signed(one: Row, signatures: dict[str, Any], names: Names) -> Signed:
    row = one.row
    signature = signatures.get(str(row.signature_id))
    requirement = names.row(row.requirement_id)
    return Signed(
        outcome=row.get_outcome_display(),
        printed_name=signature.printed_name if signature is not None else names.of(row.person_id),
        role=names.of(getattr(requirement, "role_id", None)),
        acting_for=names.of(row.acting_for_id),
        at=moment_of(one),
        meaning=signature.get_meaning_display() if signature is not None else "",
        method=signature.get_method_display() if signature is not None else "",
        digest=row.digest,
        comment=row.comment,
        revision=row.revision,
        index=one.index,
    )


def _evaluated(one: Row) -> Evaluated:
    row = one.row
    findings = sorted(
        ({**finding, "mark": MARKS.get(str(finding.get("outcome")), "?")} for finding in row.findings if isinstance(finding, dict)),
        key=lambda finding: (WORST.get(str(finding.get("outcome")), 1), str(finding.get("rule"))),
    )
    return Evaluated(row.verdict, row.get_verdict_display(), moment_of(one), row.facts_digest, findings, one.index)


def _waiting(rows: Rows, names: Names) -> dict[str, list[tuple[str, datetime]]]:
    """Unmet requirements with a due time, by change, of the stage that is being asked."""
    found: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for one in rows.latest("governance.Requirement"):
        stage = names.row(one.row.stage_id)
        route = names.row(getattr(stage, "route_id", None))
        if route is None or stage.status != "active" or one.row.met_at is not None or one.row.due_at is None:
            continue
        found[str(route.change_id)].append((names.of(one.row.role_id), one.row.due_at))
    return found
