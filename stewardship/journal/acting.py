"""Who is acting, why, and when: one context variable that every governed save reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from config.portal.errors import DomainError, Invalid

# Fixed, so that the journal can name the system before the people slice has made its row.
SYSTEM_USER_ID: Final = UUID("00000000-0000-4000-8000-000000000001")
SYSTEM: Final = SimpleNamespace(pk=SYSTEM_USER_ID)


class NoActor(DomainError):
    """A governed write outside `acting()`: nobody would be answerable for it."""


# Between the moment somebody means and the one it is written; what is written later than that counts as entered later.
LATE: Final = timedelta(minutes=5)


class BackdatingRefused(Invalid):
    """Only an installation with example data may say that something happened earlier."""


@dataclass(frozen=True)
class Act:
    """One person (or the system) doing something, for a reason, at a moment."""

    actor_id: UUID
    reason: str
    at: datetime | None
    via: str


_current: ContextVar[Act | None] = ContextVar("concordat_act", default=None)


def current() -> Act:
    """The act in progress; raises NoActor outside one."""
    act = _current.get()
    if act is None:
        raise NoActor("Nobody is acting, so this cannot be recorded.", remedy="Enter `with acting(user, reason):` first.")
    return act


def moment() -> datetime:
    """When the act in progress happens: its own time in example data, otherwise the clock."""
    act = _current.get()
    return act.at if act is not None and act.at is not None else timezone.now()


def _may_backdate() -> bool:
    return settings.JOURNAL_ORIGIN.endswith(".invalid")


def check_not_past(when: datetime, field: str) -> None:
    """Raises BackdatingRefused for an instant that has passed: who was answerable then has been read, and acted on, already."""
    if when < timezone.now() - LATE and not _may_backdate():
        raise BackdatingRefused(_("This time has passed already."), field=field, remedy=_("Choose now or later."))


@contextmanager
def acting(actor: Any, reason: str = "", *, at: datetime | None = None, via: str = "") -> Iterator[Act]:
    """Everything governed that is saved inside is recorded as done by `actor` for `reason`.

    `at` (aware) may be given only where the journal's origin ends in `.invalid`. An inner act keeps the outer `at`.
    """
    if at is not None and not _may_backdate():
        raise BackdatingRefused("The time of an act is the clock's.", field="at")
    outer = _current.get()
    act = Act(
        actor_id=actor.pk,
        reason=reason or (outer.reason if outer else ""),
        at=at if at is not None else (outer.at if outer else None),
        via=via or (outer.via if outer else ""),
    )
    token = _current.set(act)
    try:
        yield act
    finally:
        _current.reset(token)
