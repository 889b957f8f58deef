"""Who may decide, for many changes at once: read everything in a fixed number of queries, then judge each as `who.seats` does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from governance.approvals.models import Decision, Requirement
from governance.approvals.who import address_of, asking, editors, seats
from governance.changes.models import ChangeRequest, ChangeRevision
from stewardship.access.reach import tree_of
from stewardship.people.models import User
from stewardship.roles.holders import Roll


def mine(user: User, asked: Iterable[Requirement], at: datetime) -> list[tuple[ChangeRequest, Requirement]]:
    """Of these requirements (with role, stage, route, change and version read) the first of each stage that `user` could meet now."""
    by_stage: dict[UUID, list[Requirement]] = defaultdict(list)
    for each in asked:
        by_stage[each.stage_id].append(each)
    if not by_stage:
        return []
    changes = {each[0].stage.route.change_id: each[0].stage.route.change for each in by_stage.values()}
    barred = _excluded(changes)
    decided: dict[UUID, list[Decision]] = defaultdict(list)
    routes = {each[0].stage.route_id for each in by_stage.values()}
    for decision in Decision.objects.filter(stage__route__in=routes).select_related("stage"):
        decided[decision.stage.route_id].append(decision)
    roll, parents = Roll({each.role for some in by_stage.values() for each in some}, at), tree_of(user)
    found = []
    for some in by_stage.values():
        stage, change = some[0].stage, changes[some[0].stage.route.change_id]
        for region in (change.region, change.model.region):
            region.learn_way(parents)
        judged = seats(stage, change, at, decisions=decided[stage.route_id], requirements=some, barred=barred[change.pk], roll=roll)
        found += [(change, seat.requirement) for seat in judged if seat.open and user.pk in seat.panel.able][:1]
    return found


def _excluded(changes: Mapping[UUID, ChangeRequest]) -> dict[UUID, dict[UUID, str]]:
    """Per change who made or asked for it, as `who.excluded` has it; three queries."""
    names = {address_of(change.version.committer).lower() for change in changes.values() if change.version is not None} - {""}
    accounts: dict[str, UUID] = {}
    if names:
        rows = User.objects.annotate(low_name=Lower("username"), low_email=Lower("email"))
        found = list(rows.filter(Q(low_name__in=names) | Q(low_email__in=names)).values_list("pk", "low_name", "low_email"))
        accounts = {email: pk for pk, _name, email in reversed(found)} | {name: pk for pk, name, _email in found}
    barred: dict[UUID, dict[UUID, str]] = {pk: {} for pk in changes}
    for change_id, actor in ChangeRevision.objects.filter(change__in=list(changes)).values_list("change_id", "actor_id"):
        barred[change_id][actor] = _("edited this change")
    for change_id, people in editors(changes).items():
        barred[change_id] |= dict.fromkeys(people, _("edited this change"))
    for pk, change in changes.items():
        committer = accounts.get(address_of(change.version.committer).lower()) if change.version is not None else None
        if committer is not None:
            barred[pk].setdefault(committer, _("committed the version"))
        barred[pk] |= asking(change)
    return barred
