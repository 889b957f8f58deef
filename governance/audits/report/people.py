"""Who held which role over the model at the report's instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from governance.audits.report.names import Names
from governance.audits.rows import Rows


@dataclass(frozen=True)
class Held:
    """A role in somebody's hands."""

    role: str
    name: str
    scope: str
    since: datetime
    until: datetime | None
    accountable: bool
    second_line: bool
    distance: int
    index: int


def held(rows: Rows, names: Names, model: Any, at: datetime) -> list[Held]:
    """Roles in force, by role; where the nearest holds it alone, only the nearest."""
    regions = names.region_chain(model.region_id)
    found: dict[str, list[Held]] = {}
    alone: set[str] = set()
    for one in rows.latest("stewardship.RoleAssignment"):
        row = one.row
        role = names.row(row.role_id)
        if role is None or row.valid_from > at or (row.valid_until is not None and row.valid_until <= at):
            continue
        scope, distance = _scope(row, names, model, regions)
        if distance < 0:
            continue
        if role.combine == "replace":
            alone.add(role.slug)
        name = names.of(row.user_id or row.team_id)
        entry = Held(role.name, name, scope, row.valid_from, row.valid_until, role.accountable, role.second_line, distance, one.index)
        found.setdefault(role.slug, []).append(entry)
    kept = [entry for slug, some in found.items() for entry in (_nearest(some) if slug in alone else some)]
    return sorted(kept, key=lambda entry: (not entry.accountable, entry.role, entry.distance, entry.name, entry.index))


def _scope(row: Any, names: Names, model: Any, regions: list[str]) -> tuple[str, int]:
    """How the scope is called and how far it is from the model; -1 when it does not cover it."""
    if row.model_id is not None:
        return (_("this model"), 0) if str(row.model_id) == str(model.id) else ("", -1)
    if row.family_id is not None:
        return (_("family %(name)s") % {"name": names.of(row.family_id)}, 1) if row.family_id == model.family_id else ("", -1)
    if str(row.region_id) in regions:
        return names.of(row.region_id), 2 + regions.index(str(row.region_id))
    return "", -1


def _nearest(some: list[Held]) -> list[Held]:
    closest = min(entry.distance for entry in some)
    return [entry for entry in some if entry.distance == closest]
