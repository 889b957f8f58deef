"""The timeline: what happened, in order, one line a step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.audits.report.names import Names, title_of
from governance.audits.rows import Row
from stewardship.journal.record import Fact

# Steps of machinery whose outcome is told by another row.
QUIET = frozenset(
    {
        "governance.Route",
        "governance.Stage",
        "governance.Requirement",
        "governance.RollbackPlan",
        "governance.ChangeRevision",
        "stewardship.Blob",
        "stewardship.Signature",
        "stewardship.Thread",
        "stewardship.Notice",
    }
)
LATER = timedelta(minutes=5)
TOLD = {
    "governance.Decision": gettext_lazy("decided"),
    "governance.Evaluation": gettext_lazy("policies evaluated"),
    "governance.Verdict": gettext_lazy("the gate answered"),
    "governance.Permit": gettext_lazy("permit issued"),
    "governance.Assessment": gettext_lazy("risk assessed"),
    "stewardship.RunEvent": gettext_lazy("escalation"),
    "stewardship.Comment": gettext_lazy("commented"),
    "stewardship.Revision": gettext_lazy("dossier revised"),
}
OPS = {"+": gettext_lazy("created"), "~": gettext_lazy("changed"), "-": gettext_lazy("deleted")}
TELLING = frozenset({"status", "level", "outcome", "resolution", "verdict"})
UNTOLD = frozenset({"id", "history_id", "history_date", "history_type", "history_user_id", "history_change_reason"})


@dataclass(frozen=True)
class Line:
    """One step."""

    at: datetime
    actor: str
    verb: str
    subject: str
    detail: str
    index: int
    entered_later: bool


def tell(rows: Iterable[Row], names: Names) -> tuple[list[Line], int]:
    """The lines, and how many quiet rows were left out."""
    lines: list[Line] = []
    quiet = 0
    before: dict[tuple[str, str], Row] = {}
    for one in rows:
        key = (one.label, str(getattr(one.row, "id", one.obj)))
        earlier, before[key] = before.get(key), one
        if one.label in QUIET:
            quiet += 1
            continue
        lines.append(_line(one, earlier, names))
    return sorted(lines, key=lambda line: (line.at, line.index)), quiet


def moment_of(one: Row) -> datetime:
    """When it happened, as its leaf says."""
    found = parse_datetime(one.leaf["at"])
    assert found is not None  # leaf v1 writes no other form
    return found


def is_late(one: Row) -> bool:
    """Whether it was entered noticeably later than it says it happened."""
    recorded = parse_datetime(one.leaf["recorded"])
    return recorded is not None and recorded - moment_of(one) > LATER


def _line(one: Row, earlier: Row | None, names: Names) -> Line:
    kind = str(one.row._meta.verbose_name if isinstance(one.row, Fact) else one.row.instance_type._meta.verbose_name)
    verb = str(TOLD.get(one.label) or OPS.get(one.leaf["op"], one.leaf["op"]))
    return Line(
        at=moment_of(one),
        actor=names.of(one.leaf["actor"]),
        verb=verb,
        subject=f"{kind} {_title(one, names)}".strip() if one.label not in TOLD else _about(one, names),
        detail=_detail(one, earlier, names),
        index=one.index,
        entered_later=is_late(one),
    )


def _title(one: Row, names: Names) -> str:
    """How the object calls itself; what only joins others is called by them."""
    row = one.row
    if one.label == "stewardship.RoleAssignment":
        on = names.of(row.model_id or row.family_id or row.region_id)
        return f"{names.of(row.role_id)} · {names.of(row.user_id or row.team_id)} · {on}"
    if one.label == "stewardship.Deployment":
        return f"{names.of(row.version_id)} · {names.of(row.environment_id)}, {names.of(row.region_id)}"
    return title_of(row)


def _about(one: Row, names: Names) -> str:
    for name in ("change_id", "version_id", "run_id", "subject_id", "dossier_id", "thread_id"):
        found = names.row(getattr(one.row, name, None))
        if found is not None:
            return title_of(found)
    return ""


def _detail(one: Row, earlier: Row | None, names: Names) -> str:
    parts: list[str] = []
    for name in ("outcome", "verdict", "kind") if one.label in TOLD else ():
        if getattr(one.row, name, ""):
            parts.append(_shown(one.row, name, names))
    if earlier is not None and one.leaf["op"] == "~":
        parts.extend(_changes(earlier.row, one.row, names))
    if reason := one.reason or getattr(one.row, "comment", "") or getattr(one.row, "text", ""):
        parts.append(f"“{_cut(str(reason), 220)}”")
    return "; ".join(parts)


def _changes(old: Any, new: Any, names: Names) -> list[str]:
    """Old → new of each field; where the status moved, what merely followed from that is left out."""
    found = []
    moved = getattr(old, "status", None) != getattr(new, "status", None)
    for column in new._meta.concrete_fields:
        name = column.attname
        if name in UNTOLD or getattr(old, name, None) == getattr(new, name) or (moved and name not in TELLING):
            continue
        label = str(column.verbose_name)
        if isinstance(getattr(new, name), dict | list) or len(str(getattr(new, name))) > 60 or "digest" in name:
            found.append(_("%(field)s changed") % {"field": label})
        else:
            found.append(f"{label}: {_shown(old, name, names) or '–'} → {_shown(new, name, names) or '–'}")
    return found[:6]


def _shown(row: Any, name: str, names: Names) -> str:
    if getattr(row, name, None) is None:
        return ""
    display = getattr(row, f"get_{name}_display", None)
    if display is not None:
        return str(display())
    value = getattr(row, name, "")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if name.endswith("_id") and value:
        return names.of(value)
    return str(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
