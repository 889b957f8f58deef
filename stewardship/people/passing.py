"""Asks those who know roles before a team or a delegation passes them on, and before somebody else reads a person's mail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stewardship.people.models import Team, User


@dataclass(frozen=True)
class Passing:
    """What `giver` (a team, or a person who is stood in for) holds, `to` will hold too, from–until, because `actor` says so."""

    actor: User
    giver: Team | User
    to: User
    starts: datetime
    ends: datetime | None


Check = Callable[[Passing], None]
Outreach = Callable[["User", "User"], bool]

_checks: list[Check] = []
_outreach: list[Outreach] = []


def check_with(check: Check) -> None:
    """Register who refuses (by raising a DomainError) what must not be passed on; stewardship.roles does."""
    if check not in _checks:
        _checks.append(check)


def check(passing: Passing) -> None:
    """Raises what the registered checks raise; call it inside the transaction that writes the row."""
    for one in _checks:
        one(passing)


def outreach_with(outreach: Outreach) -> None:
    """Register who knows whether one person holds every strong right of another; stewardship.access does."""
    if outreach not in _outreach:
        _outreach.append(outreach)


def outreaches(actor: User, user: User) -> bool:
    """Whether `actor` holds, where `user` holds them, all rights to sign, appoint and configure that `user` holds now or later."""
    return all(one(actor, user) for one in _outreach)
