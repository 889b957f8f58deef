"""Paths, runs and a subject to call people about, for the tests of escalation and coverage."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from stewardship.escalation import subjects
from stewardship.escalation.fire import fire_due
from stewardship.escalation.models import Path, Run, Step
from stewardship.escalation.start import start
from stewardship.journal.acting import acting
from stewardship.people.models import system_user
from tests.cast import Cast

START = datetime(2031, 3, 3, 9, 0, tzinfo=UTC)  # a Monday after the cast took its roles


@dataclass
class Things:
    """Subjects of the kind "thing"; settled ones need nobody."""

    settled: set[UUID] = field(default_factory=set)


@pytest.fixture
def things(settings: Any) -> Iterator[Things]:
    """Registers the kind "thing", and lets acts have a past."""
    settings.JOURNAL_ORIGIN = "tests.invalid"
    made = Things()
    subjects.register("thing", label="Thing", link=lambda pk: f"/things/{pk}/", wanted=lambda pk: pk not in made.settled)
    yield made
    subjects._subjects.pop("thing")


def make_path(cast: Cast, *roles: str, region: str = "eu", seconds: int = 60, kind: str = "thing", level: str = "", **fields: Any) -> Path:
    """A path that calls these roles (`role` or `role@scope`), each `seconds` after the one before; the first at once."""
    with acting(system_user(), "a test"):
        path = Path(slug=f"p{uuid.uuid4().hex[:12]}", name="Test path", region=cast.regions[region], subject_kind=kind, level=level)
        for name, value in ({"repeats": 0, "last_wait_seconds": seconds} | fields).items():
            setattr(path, name, value)
        path.save()
        for order, role in enumerate(roles):
            slug, _, scope = role.partition("@")
            Step(path=path, order=order, role=cast.roles[slug], scope=scope or "region", after_seconds=seconds if order else 0).save()
    return path


def begin(cast: Cast, at: datetime = START, *, region: str = "eu", **fields: Any) -> Run:
    """Start a run about a new thing at this moment."""
    with acting(system_user(), "a test", at=at):
        return start(
            **{
                "subject_kind": "thing",
                "subject_id": uuid.uuid4(),
                "label": "Drift",
                "region": cast.regions[region],
                "actor": system_user(),
                **fields,
            }
        )


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Everything inside happens at this moment."""
    with acting(system_user(), "a test", at=moment):
        yield


def fire(seconds: float = 0) -> int:
    """The tick, so many seconds after START."""
    return fire_due(START + timedelta(seconds=seconds))


def calls(run: Run) -> list[tuple[str, int, int]]:
    """What was called so far: kind, step, repetition."""
    return [(e.kind, e.step, e.loop) for e in run.events.filter(kind__in=["called", "vacant"]).order_by("at", "generation", "step", "loop")]


def reached(run: Run) -> list[list[str]]:
    """Usernames reached by each call, in order."""
    from stewardship.people.models import User

    names = {str(user.pk): user.username for user in User.objects.all()}
    return [
        [names[one["user"]] for one in e.reached] for e in run.events.filter(kind="called").order_by("at", "generation", "step", "loop")
    ]
