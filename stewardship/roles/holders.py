"""Who holds a role for a model or in a region, at an instant. Asked when it is needed, never stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import chain
from operator import or_
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import Absence, Delegation, Membership, Team, User
from stewardship.regions.models import Region
from stewardship.roles import rules
from stewardship.roles.models import Combine, Role, RoleAssignment, SeparationRule


@dataclass(frozen=True)
class Holder:
    """A person to ask, call or wait for; `acting_for` is the absent person they stand in for."""

    user: User
    assignment: RoleAssignment
    acting_for: User | None
    team: Team | None


def scope_path(model: RegisteredModel | None, region: Region | None) -> list[rules.ScopeKey]:
    """The scopes from the nearest to the root: the model, its family, its region and the regions above; or regions only."""
    path: list[rules.ScopeKey] = []
    if model is not None:
        path = [("model", model.pk), ("family", model.family_id)]
        region = region or model.region
    if region is None:
        raise ValueError("Ask for a model or a region.")
    return path + [("region", node) for node in region.way_up()]


def _on(paths: Iterable[list[rules.ScopeKey]]) -> Q:
    ids: defaultdict[str, set[UUID]] = defaultdict(set)
    for kind, pk in chain.from_iterable(paths):
        ids[kind].add(pk)
    return reduce(or_, (Q(**{f"{kind}_id__in": found}) for kind, found in ids.items()), Q(pk__in=()))


def holders(
    role: Role | str, *, model: RegisteredModel | None = None, region: Region | None = None, at: datetime | None = None
) -> list[Holder]:
    """Who holds the role, nearest first, each person once; empty when it is vacant or its slug is unknown. Four queries at most."""
    path = scope_path(model, region)
    return Roll([role], at or timezone.now(), paths=[path]).held(role, path)


def holders_of(
    roles: list[Role],
    *,
    model: RegisteredModel | None = None,
    region: Region | None = None,
    at: datetime | None = None,
    scopes: bool = False,
) -> dict[Role, list[Holder]]:
    """The holders of several roles at once, with as many queries as for one; `scopes` for who shows where each was assigned."""
    path = scope_path(model, region)
    roll = Roll(roles, at or timezone.now(), paths=[path], scopes=scopes)
    return {role: roll.held(role, path) for role in roles}


class Roll:
    """Who holds some roles (or slugs of roles), read at once by one to three queries, then asked for any number of scopes.

    `paths` narrows what is read to assignments on them; without it those of all scopes are read. `scopes` reads what they are
    assigned on, too, with one query for each of the three kinds.
    """

    def __init__(
        self, roles: Iterable[Role | str], at: datetime, *, paths: Iterable[list[rules.ScopeKey]] | None = None, scopes: bool = False
    ) -> None:
        asked = list(roles)
        ids, slugs = {role.pk for role in asked if isinstance(role, Role)}, {role for role in asked if isinstance(role, str)}
        rows = list(
            RoleAssignment.objects.in_force(at)
            .filter(Q() if paths is None else _on(paths), Q(role__in=ids) | Q(role__slug__in=slugs) if slugs else Q(role__in=ids))
            .annotate(away=_away("user", at))
            .select_related("user", "team", "role")
            .prefetch_related(*(("region", "family", "model") if scopes else ()))
            .order_by("valid_from", "id")
        )
        away = {row.user_id for row in rows if row.away}
        members: defaultdict[UUID, list[User]] = defaultdict(list)
        teams = {row.team_id for row in rows if row.team_id is not None}
        if teams:
            in_teams = Membership.objects.in_force(at).filter(team_id__in=teams).annotate(away=_away("user", at))
            for membership in in_teams.select_related("user").order_by("starts", "id"):
                members[membership.team_id].append(membership.user)
                away |= {membership.user_id} if membership.away else set()
        self._people: dict[UUID, User] = {}
        self._given: defaultdict[UUID, list[rules.Given]] = defaultdict(list)
        self._assignments = {row.pk: row for row in rows}
        self._roles = {row.role.slug: row.role for row in rows}
        for row in rows:
            users = [row.user] if row.user is not None else members[row.team_id] if row.team_id is not None else []
            self._people.update((user.pk, user) for user in users)
            self._given[row.role_id].append(rules.Given(row.pk, row.scope_key, tuple(user.pk for user in users)))
        self._absent, self._delegates = _standing_in(self._people, away, at)
        self._active = frozenset(pk for pk, user in self._people.items() if user.is_active)

    def held(self, role: Role | str, path: list[rules.ScopeKey]) -> list[Holder]:
        """Who holds the role on this path of scopes (`scope_path`), nearest first."""
        known = self._roles.get(role) if isinstance(role, str) else role
        if known is None:
            return []
        near = set(path)
        found = rules.resolve(
            [given for given in self._given[known.pk] if given.scope in near],
            path,
            replace=known.combine == Combine.REPLACE and not known.second_line,
            active=self._active,
            absent=self._absent,
            delegates=self._delegates if known.delegable else {},
        )
        return [
            Holder(
                self._people[one.user],
                self._assignments[one.assignment],
                None if one.acting_for is None else self._people[one.acting_for],
                self._assignments[one.assignment].team,
            )
            for one in found
        ]


def _away(who: str, at: datetime) -> Exists:
    return Exists(Absence.objects.in_force(at).filter(user=OuterRef(who)))


def _standing_in(people: dict[UUID, User], away: set[UUID], at: datetime) -> tuple[frozenset[UUID], dict[UUID, list[UUID]]]:
    """Who is absent of those `away` and their delegates, who are added to the people; and who stands in for whom."""
    delegates: defaultdict[UUID, list[UUID]] = defaultdict(list)
    absent = set(away)
    if away:
        given = Delegation.objects.in_force(at).filter(delegator_id__in=away).annotate(away=_away("delegate", at))
        for delegation in given.select_related("delegate").order_by("starts", "id"):
            people[delegation.delegate_id] = delegation.delegate
            delegates[delegation.delegator_id].append(delegation.delegate_id)
            absent |= {delegation.delegate_id} if delegation.away else set()
    return frozenset(absent), dict(delegates)


def accountable(model: RegisteredModel, at: datetime | None = None) -> User | None:
    """The one natural person who answers for this model; stays so while absent. None is a gap."""
    moment = at or timezone.now()
    path = scope_path(model, None)
    near = {scope: place for place, scope in enumerate(path)}
    rows = RoleAssignment.objects.in_force(moment).filter(_on([path]), role__accountable=True).select_related("user")
    nearest = min(rows, key=lambda row: near[row.scope_key], default=None)
    if nearest is None or nearest.user is None or not nearest.user.is_active:
        return None
    answers: User = nearest.user
    return answers


def conflicts(model: RegisteredModel, at: datetime | None = None) -> list[tuple[User, Role, Role]]:
    """People who hold two roles over this model that must be two people."""
    pairs = list(SeparationRule.objects.select_related("first", "second"))
    roles = {role.pk: role for pair in pairs for role in (pair.first, pair.second)}
    found = holders_of(list(roles.values()), model=model, at=at)
    users = {holder.user.pk: holder.user for held in found.values() for holder in held}
    by_role = {role.pk: frozenset(holder.user.pk for holder in held) for role, held in found.items()}
    broken = rules.conflicts(by_role, [(pair.first_id, pair.second_id) for pair in pairs])
    return [(users[one.user], roles[one.first], roles[one.second]) for one in broken]
