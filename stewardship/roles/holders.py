"""Who holds a role for a model or in a region, at an instant. Asked when it is needed, never stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
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
    return path + [("region", node.pk) for node in reversed(region.ancestors_and_self())]


def _on(path: list[rules.ScopeKey]) -> Q:
    ids: defaultdict[str, list[UUID]] = defaultdict(list)
    for kind, pk in path:
        ids[kind].append(pk)
    found = Q(region_id__in=ids["region"])
    for kind in ("family", "model"):
        if ids[kind]:
            found |= Q(**{f"{kind}_id__in": ids[kind]})
    return found


def holders(
    role: Role | str, *, model: RegisteredModel | None = None, region: Region | None = None, at: datetime | None = None
) -> list[Holder]:
    """Who holds the role, nearest first, each person once; empty when it is vacant or its slug is unknown. Six queries at most."""
    found = holders_of([role] if isinstance(role, Role) else list(Role.objects.filter(slug=role)), model=model, region=region, at=at)
    return next(iter(found.values()), [])


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
    roll = Roll(roles, at or timezone.now(), on=_on(path), scopes=scopes)
    return {role: roll.held(role, path) for role in roles}


class Roll:
    """Who holds some roles, read at once (four to six queries), then asked for any number of scopes without another.

    `on` narrows the assignments that are read; without it those of all scopes are. `scopes` reads what they are assigned on, too.
    """

    def __init__(self, roles: Iterable[Role], at: datetime, on: Q | None = None, *, scopes: bool = False) -> None:
        rows = list(
            RoleAssignment.objects.in_force(at)
            .filter(Q() if on is None else on, role__in=list(roles))
            .select_related("user", "team")
            .prefetch_related(*(("region", "family", "model") if scopes else ()))
            .order_by("valid_from", "id")
        )
        members: defaultdict[UUID, list[User]] = defaultdict(list)
        teams = {row.team_id for row in rows if row.team_id is not None}
        if teams:
            in_teams = Membership.objects.in_force(at).filter(team_id__in=teams).select_related("user").order_by("starts", "id")
            for membership in in_teams:
                members[membership.team_id].append(membership.user)
        self._people: dict[UUID, User] = {}
        self._given: defaultdict[UUID, list[rules.Given]] = defaultdict(list)
        self._assignments = {row.pk: row for row in rows}
        for row in rows:
            users = [row.user] if row.user is not None else members[row.team_id] if row.team_id is not None else []
            self._people.update((user.pk, user) for user in users)
            self._given[row.role_id].append(rules.Given(row.pk, row.scope_key, tuple(user.pk for user in users)))
        self._absent, self._delegates = _standing_in(self._people, at)
        self._active = frozenset(pk for pk, user in self._people.items() if user.is_active)

    def held(self, role: Role, path: list[rules.ScopeKey]) -> list[Holder]:
        """Who holds the role on this path of scopes (`scope_path`), nearest first."""
        near = set(path)
        found = rules.resolve(
            [given for given in self._given[role.pk] if given.scope in near],
            path,
            replace=role.combine == Combine.REPLACE and not role.second_line,
            active=self._active,
            absent=self._absent,
            delegates=self._delegates if role.delegable else {},
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


def _standing_in(people: dict[UUID, User], at: datetime) -> tuple[frozenset[UUID], dict[UUID, list[UUID]]]:
    """Who of these people (and their delegates, who are added to them) is absent, and who stands in for whom."""
    away = set(Absence.objects.in_force(at).filter(user_id__in=list(people)).values_list("user_id", flat=True)) if people else set()
    delegates: defaultdict[UUID, list[UUID]] = defaultdict(list)
    if away:
        given = Delegation.objects.in_force(at).filter(delegator_id__in=away).select_related("delegate").order_by("starts", "id")
        for delegation in given:
            people[delegation.delegate_id] = delegation.delegate
            delegates[delegation.delegator_id].append(delegation.delegate_id)
        standing_in = {pk for found in delegates.values() for pk in found}
        away |= set(Absence.objects.in_force(at).filter(user_id__in=standing_in).values_list("user_id", flat=True))
    return frozenset(away), dict(delegates)


def accountable(model: RegisteredModel, at: datetime | None = None) -> User | None:
    """The one natural person who answers for this model; stays so while absent. None is a gap."""
    moment = at or timezone.now()
    path = scope_path(model, None)
    near = {scope: place for place, scope in enumerate(path)}
    rows = RoleAssignment.objects.in_force(moment).filter(_on(path), role__accountable=True).select_related("user")
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
