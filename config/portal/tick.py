"""Work that waits: rows with a due time, looked at each second by one process and each minute by the job worker.

    @chore("escalation timers")
    def fire_due() -> int: ...

A chore claims each row by a guarded change of state, since two ticks may run at once. It enters `acting()` itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from config.portal.models import Heartbeat

log = logging.getLogger("concordat.tick")

BEAT_EVERY = 5.0  # seconds; a heartbeat is a write, and SQLite has one writer


@dataclass
class Chore:
    """One thing to look after, at most every so many seconds."""

    name: str
    fn: Callable[[], Any]
    every: float = 1.0
    last: float = field(default=float("-inf"))
    problem: str = ""


_chores: dict[str, Chore] = {}


def chore(name: str, every: float = 1.0) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Run the decorated function each tick, or every `every` seconds. The same name replaces."""

    def register(fn: Callable[[], Any]) -> Callable[[], Any]:
        _chores[name] = Chore(name, fn, every)
        return fn

    return register


def chores() -> list[Chore]:
    """Everything registered, in the order of registration."""
    return list(_chores.values())


def tick(now: float | None = None) -> dict[str, str]:
    """Run what is due; one chore's failure never stops the others. Gives the problems by chore."""
    moment = time.monotonic() if now is None else now
    problems: dict[str, str] = {}
    for item in chores():
        if moment - item.last < item.every:
            if item.problem:
                problems[item.name] = item.problem
            continue
        item.last = moment
        try:
            item.fn()
            item.problem = ""
        except Exception as error:
            log.exception("The chore %s failed; it is tried again.", item.name)
            item.problem = problems[item.name] = f"{type(error).__name__}: {error}"
    return problems


def beat(name: str, problems: dict[str, str] | None = None, at: datetime | None = None) -> None:
    """Say that this process is alive, and which chores failed last."""
    detail = "; ".join(f"{chore}: {problem}" for chore, problem in sorted((problems or {}).items()))
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at or timezone.now(), "detail": detail[:2000]})


def net() -> str:
    """What the job worker calls once a minute: the same tick, in case the tick process is down."""
    problems = tick()
    beat("worker", problems)
    return f"{len(chores())} chores, {len(problems)} failed"
