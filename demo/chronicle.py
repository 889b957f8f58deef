"""Tells many stories in one order of time, and does between them what the clock does: calls that are due, deadlines, mail."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Min

from demo.world import World
from governance.approvals.models import Requirement
from governance.approvals.overdue import escalate_overdue
from stewardship.escalation.fire import fire_due
from stewardship.escalation.models import Timer
from stewardship.journal.acting import acting
from stewardship.notices.deliver import deliver

Story = Iterator[datetime]


def tell(world: World, stories: Iterable[Story]) -> int:
    """Run each story up to the time it names next, always the earliest one; gives how many steps were told.

    A story is a generator: it yields the time of its next step, and does the step when it is resumed.
    """
    waiting: list[tuple[datetime, int, Any]] = []
    for order, story in enumerate(stories):
        _next(waiting, order, story)
    told = 0
    while waiting:
        at, order, story = heapq.heappop(waiting)
        let_time_pass(world, min(at, world.now))
        _next(waiting, order, story, at)
        told += 1
    let_time_pass(world, world.now)
    return told


def _next(waiting: list[tuple[datetime, int, Any]], order: int, story: Story, before: datetime | None = None) -> None:
    at = next(story, None)
    if at is not None and before is not None and at < before:
        raise ValueError(f"Story {order} goes back in time, from {before} to {at}.")
    if at is not None:
        heapq.heappush(waiting, (at, order, story))


def let_time_pass(world: World, until: datetime) -> None:
    """Everything that falls due up to this instant happens at its own time, as the tick would have done it."""
    while (due := _earliest()) is not None and due <= until:
        with acting(world.system, at=due):
            escalate_overdue(due)
            fire_due(due)
        deliver(due)
    deliver(until)


def _earliest() -> datetime | None:
    timers = Timer.objects.filter(state=Timer.State.PENDING).aggregate(first=Min("due_at"))["first"]
    deadlines = Requirement.objects.asked().filter(escalated_at__isnull=True).aggregate(first=Min("due_at"))["first"]
    return min((each for each in (timers, deadlines) if each is not None), default=None)
