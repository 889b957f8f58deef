"""Until when an answer can be right: the first instant at which one of the facts it rests on ends or begins by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, Q

from governance.gate.judge import Place, Result
from governance.policies.models import PolicyVersion, Waiver
from governance.risk.models import Assessment
from stewardship.people.models import Absence, Delegation, Membership
from stewardship.regions.models import Setting
from stewardship.roles.models import RoleAssignment


def first_end(place: Place, result: Result, at: datetime) -> datetime | None:
    """The earliest of them after this instant, as far as rows say so; None where nothing is bound to a time."""
    model = place.version.model
    path = {node for region in (place.region, model.region) for node in region.way_up()}
    assigned = RoleAssignment.objects.filter(Q(region__in=path) | Q(family=model.family_id) | Q(model=model))
    members = Membership.objects.filter(team__in=assigned.order_by().filter(team__isnull=False).values("team"))
    holders = Q(user__in=assigned.order_by().filter(user__isnull=False).values("user")) | Q(user__in=members.order_by().values("user"))
    absences = Absence.objects.filter(holders | Q(user__in=Delegation.objects.order_by().values("delegate")))
    ends = [result.change.expires_at if result.change else None]
    for rows, begin, end in (
        (PolicyVersion.objects.filter(policy__region__in=path), "effective_from", "effective_until"),
        (Setting.objects.filter(region__in=path), "valid_from", "valid_until"),
        (Waiver.objects.filter(model=model), "granted_at", "expires_at"),
        (assigned, "valid_from", "valid_until"),
        (members, "starts", "ends"),
        (Delegation.objects.all(), "starts", "ends"),
        (absences, "starts", "ends"),
    ):
        ends += _next(rows, begin, end, at)
    assessed = Assessment.objects.latest_of(model)
    if assessed is not None:  # its age counts in whole days
        ends.append(assessed.at + timedelta(days=(at - assessed.at).days + 1))
    return min((end for end in ends if end is not None and end > at), default=None)


def _next(rows: Any, begin: str, end: str, at: datetime) -> list[datetime | None]:
    first = {name: Min(name, filter=Q(**{f"{name}__gt": at})) for name in (begin, end)}
    return list(rows.order_by().aggregate(**first).values())
