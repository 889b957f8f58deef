"""Alerts with how they ended, and the escalations they started."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from governance.audits.report.names import Names
from governance.audits.report.story import moment_of
from governance.audits.rows import Row, Rows


@dataclass(frozen=True)
class Called:
    """One event of an escalation."""

    at: datetime
    what: str
    who: str


@dataclass(frozen=True)
class AlertLine:
    """One alert."""

    title: str
    level: str
    status: str
    opened_at: datetime
    acknowledged: str
    resolved: str
    resolution: str
    outcome: str
    why: str
    index: int
    calls: list[Called]


def alerts(rows: Rows, names: Names) -> list[AlertLine]:
    """Newest first."""
    events: dict[str, list[Row]] = defaultdict(list)
    for event in rows.facts("stewardship.RunEvent"):
        events[str(event.row.run_id)].append(event)
    calls: dict[str, list[Called]] = defaultdict(list)
    for run in rows.latest("stewardship.Run"):
        calls[str(run.row.subject_id)].extend(_called(event, names) for event in events[str(run.row.id)])
    found = [
        AlertLine(
            title=row.title,
            level=row.get_level_display(),
            status=row.get_status_display(),
            opened_at=row.opened_at,
            acknowledged=_when(row.acknowledged_at, names.of(row.acknowledged_by_id)),
            resolved=_when(row.resolved_at, ""),
            resolution=row.resolution,
            outcome=row.get_resolution_display() if row.resolution else "",
            why=row.resolution_reason,
            index=one.index,
            calls=sorted(calls[str(row.id)], key=lambda call: call.at),
        )
        for one in rows.latest("monitoring.Alert")
        for row in (one.row,)
    ]
    return sorted(found, key=lambda line: (line.opened_at, line.index), reverse=True)


def _when(at: datetime | None, who: str) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC{f', {who}' if who else ''}"


def _called(event: Row, names: Names) -> Called:
    row = event.row
    reached = ", ".join(names.of(one["user"]) for one in row.reached if isinstance(one, dict))
    return Called(
        moment_of(event),
        row.get_kind_display(),
        " ".join(filter(None, (row.role, f"({reached})" if reached else ""))) or names.of(event.leaf["actor"]),
    )
