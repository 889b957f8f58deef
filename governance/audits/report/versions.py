"""Versions, their evidence, and where they ran."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from governance.audits.report.names import Names
from governance.audits.rows import Rows


@dataclass(frozen=True)
class Artifact:
    """One piece of evidence."""

    kind: str
    name: str
    digest: str
    at: datetime
    readings: list[str]
    problem: str


@dataclass(frozen=True)
class Version:
    """One build of the model."""

    id: str
    label: str
    digest: str
    code_revision: str
    committer: str
    parent: str
    registered_at: datetime
    index: int
    live: list[str] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)


@dataclass(frozen=True)
class Deployed:
    """One stay of a version in an environment of a region."""

    version: str
    place: str
    started_at: datetime
    ended_at: datetime | None
    share: str
    index: int


def versions(rows: Rows, names: Names) -> list[Version]:
    """Newest first."""
    live: dict[str, list[str]] = {}
    for stay in rows.latest("stewardship.Deployment"):
        if stay.row.ended_at is None:
            live.setdefault(str(stay.row.version_id), []).append(f"{names.of(stay.row.environment_id)}, {names.of(stay.row.region_id)}")
    evidence: dict[str, list[Artifact]] = {}
    for one in rows.latest("governance.Artifact"):
        blob = names.row(one.row.blob_id)
        digest = blob.sha256 if blob is not None else ""
        made = Artifact(one.row.kind, one.row.name, digest, one.row.attached_at, readings(one.row.readings), one.row.problem)
        evidence.setdefault(str(one.row.version_id), []).append(made)
    found = [
        Version(
            id=str(one.row.id),
            label=one.row.label,
            digest=one.row.digest,
            code_revision=one.row.code_revision,
            committer=one.row.committer,
            parent=names.of(one.row.parent_id),
            registered_at=one.row.registered_at,
            index=one.index,
            live=live.get(str(one.row.id), []),
            artifacts=evidence.get(str(one.row.id), []),
        )
        for one in rows.latest("stewardship.ModelVersion")
    ]
    return sorted(found, key=lambda version: (version.registered_at, version.index), reverse=True)


def deployments(rows: Rows, names: Names) -> list[Deployed]:
    """Newest first."""
    found = [
        Deployed(
            names.of(one.row.version_id),
            f"{names.of(one.row.environment_id)}, {names.of(one.row.region_id)}",
            one.row.started_at,
            one.row.ended_at,
            f"{one.row.share * 100:.0f} %",
            one.index,
        )
        for one in rows.latest("stewardship.Deployment")
    ]
    return sorted(found, key=lambda stay: (stay.started_at, stay.index), reverse=True)


def readings(document: Any) -> list[str]:
    """What a reader found, as short lines: "recall 0.91 (0.88–0.93, n 412)"."""
    lines: list[str] = []
    if not isinstance(document, dict):
        return lines
    for name, value in sorted((document.get("metrics") or {}).items()):
        value = value if isinstance(value, dict) else {"value": value}
        low, high, n = value.get("low"), value.get("high"), value.get("n")
        parts = [f"{low}–{high}"] if low is not None and high is not None else []
        parts += [f"n {n}"] if n is not None else []
        lines.append(f"{name} {value.get('value')}" + (f" ({', '.join(parts)})" if parts else ""))
    tests = document.get("tests")
    if isinstance(tests, dict):
        lines.append(_("%(passed)s of %(total)s tests passed") % {"passed": tests.get("passed"), "total": tests.get("total")})
        lines += [_("failed: %(name)s") % {"name": name} for name in (tests.get("failed_names") or [])[:10]]
    return lines
