"""Pure resolution of who holds a role: near before far, replaced or added to, absent people replaced by their delegates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

ScopeKey = tuple[str, UUID]


@dataclass(frozen=True)
class Given:
    """An assignment in force: to these people (one, or the members of a team), on this scope."""

    assignment: UUID
    scope: ScopeKey
    people: tuple[UUID, ...]


@dataclass(frozen=True)
class Held:
    """One person who holds the role now, and for whom they stand in."""

    user: UUID
    assignment: UUID
    acting_for: UUID | None = None


def resolve(
    given: Iterable[Given],
    path: Sequence[ScopeKey],
    *,
    replace: bool,
    active: frozenset[UUID],
    absent: frozenset[UUID],
    delegates: Mapping[UUID, Sequence[UUID]],
) -> list[Held]:
    """The holders along `path` (nearest scope first), nearest first, each person once.

    With `replace` only the nearest scope that was given to anybody counts, even if nobody there can be called: a vacancy
    is a gap to be seen, not a reason to call somebody who was replaced. Whoever is absent is replaced by the delegates
    who are active and present themselves; delegations are not passed on.
    """
    near = {scope: place for place, scope in enumerate(path)}
    rows = sorted((row for row in given if row.scope in near), key=lambda row: near[row.scope])
    if replace and rows:
        rows = [row for row in rows if row.scope == rows[0].scope]
    held: list[Held] = []
    seen: set[UUID] = set()

    def add(user: UUID, row: Given, acting_for: UUID | None) -> None:
        if user in active and user not in absent and user not in seen:
            seen.add(user)
            held.append(Held(user, row.assignment, acting_for))

    for row in rows:
        for person in row.people:
            if person in absent and person in active:
                for delegate in delegates.get(person, ()):
                    add(delegate, row, person)
            else:
                add(person, row, None)
    return held


@dataclass(frozen=True)
class Span:
    """From `start` (inclusive) to `end` (exclusive; None: for ever)."""

    start: datetime
    end: datetime | None

    def meet(self, other: Span) -> Span | None:
        """The time both hold; None when there is none."""
        start = max(self.start, other.start)
        ends = [end for end in (self.end, other.end) if end is not None]
        end = min(ends, default=None)
        return Span(start, end) if end is None or start < end else None


@dataclass(frozen=True)
class Conflict:
    """One person who holds two roles that must be two people."""

    user: UUID
    first: UUID
    second: UUID


def conflicts(holders: Mapping[UUID, frozenset[UUID]], separated: Iterable[tuple[UUID, UUID]]) -> list[Conflict]:
    """`holders` by role; every pair that the separation rules forbid."""
    return [
        Conflict(user, first, second)
        for first, second in separated
        for user in sorted(holders.get(first, frozenset()) & holders.get(second, frozenset()))
    ]
