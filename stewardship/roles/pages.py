"""Who holds which role, as a panel of the model's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from config.portal.permission import holds
from stewardship.inventory.models import RegisteredModel
from stewardship.roles.holders import Holder, conflicts, holders_of
from stewardship.roles.models import Role
from stewardship.roles.rights import AssignmentRight

SHOWN = 10  # holders of one role; a role on the root may be held by a thousand people


@dataclass(frozen=True)
class Person:
    """One holder as the panel shows them."""

    user: Any
    scope: str
    note: str


@dataclass(frozen=True)
class RoleLine:
    """One role with its nearest holders, and how many there are further up; none is a vacancy."""

    role: Role
    people: list[Person]
    more: int


def _person(holder: Holder) -> Person:
    notes = []
    if holder.team is not None:
        notes.append(str(holder.team))
    if holder.acting_for is not None:
        notes.append(_("acts for %(name)s, who is away") % {"name": holder.acting_for})
    if holder.assignment.valid_until is not None:
        notes.append(_("until %(day)s") % {"day": timezone.localtime(holder.assignment.valid_until).date().isoformat()})
    return Person(holder.user, str(holder.assignment.scope), " · ".join(notes))


def people_panel(request: HttpRequest, model: RegisteredModel) -> dict[str, Any]:
    """Context of the panel "model:people": every role, filled ones first, and combinations that are forbidden."""
    held = holders_of(list(Role.objects.all()), model=model, scopes=True)
    lines = [RoleLine(role, [_person(holder) for holder in found[:SHOWN]], len(found[SHOWN:])) for role, found in held.items()]
    lines.sort(key=lambda line: (not line.role.accountable, not line.people, line.role.name))
    return {
        "lines": lines,
        "may_list": holds(request.user, AssignmentRight.VIEW),
        "vacant": [line.role for line in lines if not line.people],
        "conflicts": conflicts(model),
    }
