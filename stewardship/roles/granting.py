"""What role assignments amount to as grants: the source that stewardship.access rebuilds from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import apps
from django.db.models import Q

from stewardship.access.grants import Spec, rebuild_for
from stewardship.people.models import Delegation, Membership
from stewardship.roles.rules import Span

if TYPE_CHECKING:
    from stewardship.roles.models import RoleAssignment

# Models import this module to rebuild on save, so it reaches them through the app registry.


def _assignments() -> type[RoleAssignment]:
    return apps.get_model("stewardship", "RoleAssignment")


def _rights() -> dict[UUID, list[str]]:
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    rows = apps.get_model("stewardship", "DecisionRight").objects.filter(raci__in=("R", "A"))
    for role, right in rows.values_list("role_id", "right"):
        found[role].append(right)
    return found


def specs(users: frozenset[UUID] | None) -> Iterator[Spec]:
    """The grants that should exist for these people (None: everybody).

    Team members hold what the team holds, for as long as both last; delegates what the delegator holds, for as long as both
    last, unless the role cannot be delegated or the delegator has left the house. Delegations are not passed on: only what
    was given directly is counted.
    """
    delegations: defaultdict[UUID, list[tuple[UUID, Span]]] = defaultdict(list)
    given = Delegation.objects.filter(delegator__is_active=True)
    if users is not None:
        given = given.filter(delegate_id__in=users)
    for delegator, delegate, starts, ends in given.values_list("delegator_id", "delegate_id", "starts", "ends"):
        delegations[delegator].append((delegate, Span(starts, ends)))
    rows = _assignments().objects.select_related("role")
    memberships = Membership.objects.all()
    if users is not None:
        relevant = users | delegations.keys()
        memberships = memberships.filter(user_id__in=relevant)
        teams = set(memberships.values_list("team_id", flat=True))
        rows = rows.filter(Q(user_id__in=relevant) | Q(team_id__in=teams))
    members: defaultdict[UUID, list[tuple[UUID, Span]]] = defaultdict(list)
    for team, user, starts, ends in memberships.values_list("team_id", "user_id", "starts", "ends"):
        members[team].append((user, Span(starts, ends)))
    rights = _rights()
    for row in rows:
        for person, span in _held_by(row, members, delegations):
            if (users is None or person in users) and (span.end is None or span.start < span.end):
                kind, scope = row.scope_key
                for right in rights.get(row.role_id, ()):
                    yield Spec(person, right, kind, scope, span.start, span.end, row.pk)


def _held_by(
    row: RoleAssignment,
    members: dict[UUID, list[tuple[UUID, Span]]],
    delegations: dict[UUID, list[tuple[UUID, Span]]],
) -> Iterator[tuple[UUID, Span]]:
    whole = Span(row.valid_from, row.valid_until)
    direct = [(row.user_id, whole)] if row.user_id is not None else []
    if row.team_id is not None:
        met = ((user, span.meet(whole)) for user, span in members.get(row.team_id, ()))
        direct = [(user, span) for user, span in met if span is not None]
    yield from direct
    if row.role.delegable:
        for person, span in direct:
            for delegate, while_away in delegations.get(person, ()):
                both = while_away.meet(span)
                if both is not None:
                    yield delegate, both


def _with_delegates(people: Iterable[UUID]) -> set[UUID]:
    ids = set(people)
    return ids | set(Delegation.objects.filter(delegator_id__in=ids).values_list("delegate_id", flat=True))


def rebuild_people(people: Iterable[UUID]) -> None:
    """Grants of these people and of everybody who stands in for them."""
    rebuild_for(_with_delegates(people))


def rebuild_assignment(row: RoleAssignment) -> None:
    """Grants of whoever holds this assignment."""
    rebuild_people(_holders_of([row.user_id], [row.team_id]))


_waiting: ContextVar[set[UUID] | None] = ContextVar("concordat_roles_waiting", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Many changes to the matrix inside: the holders' grants are made anew once, at the end. Use inside a transaction."""
    roles: set[UUID] = set()
    token = _waiting.set(roles)
    try:
        yield
    finally:
        _waiting.reset(token)
    for role in roles:
        rebuild_role(role)


def rebuild_role(role: UUID) -> None:
    """Grants of everybody who holds this role anywhere; inside `once()`, when that ends."""
    waiting = _waiting.get()
    if waiting is not None:
        waiting.add(role)
        return
    rows = list(_assignments().objects.filter(role_id=role).values_list("user_id", "team_id"))
    rebuild_people(_holders_of([user for user, _team in rows], [team for _user, team in rows]))


def _holders_of(users: Iterable[UUID | None], teams: Iterable[UUID | None]) -> set[UUID]:
    people = {user for user in users if user is not None}
    wanted = {team for team in teams if team is not None}
    if wanted:
        people |= set(Membership.objects.filter(team_id__in=wanted).values_list("user_id", flat=True))
    return people


def who_can(right: str) -> list[str]:
    """Names of the roles that may do this, for refusals."""
    rows = apps.get_model("stewardship", "DecisionRight").objects.filter(right=right, raci__in=("R", "A"))
    return list(rows.values_list("role__name", flat=True))
