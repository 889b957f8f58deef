"""Work that waits: rows with a due time, looked at each second by one process and each minute by the job worker.

    @chore("escalation timers")
    def fire_due() -> int: ...

A chore claims each row by a guarded change of state, since two ticks may run at once. It enters `acting()` itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connections
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
    aside: bool = False
    last: float = field(default=float("-inf"))
    problem: str = ""
    thread: threading.Thread | None = None

    def run(self) -> None:
        """Do it once; what goes wrong is logged, and its kind is kept as the problem."""
        try:
            self.fn()
            self.problem = ""
        except Exception as error:
            log.exception("The chore %s failed; it is tried again.", self.name)
            # SECURITY: `/readyz` tells it to everybody; the text may name rows, hosts and people, and stays in the log.
            self.problem = type(error).__name__

    def run_aside(self) -> None:
        """Do it in a thread, with database connections of its own; at most one of a kind."""
        if self.thread is None or not self.thread.is_alive():
            self.thread = threading.Thread(target=self._run_and_close, name=self.name)
            self.thread.start()

    def _run_and_close(self) -> None:
        try:
            self.run()
        finally:
            connections.close_all()


_chores: dict[str, Chore] = {}


def chore(name: str, every: float = 1.0, *, aside: bool = False) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Run the decorated function each tick, or every `every` seconds. The same name replaces.

    `aside`: it waits for others (a mail server), and the tick process must not wait with it.
    """

    def register(fn: Callable[[], Any]) -> Callable[[], Any]:
        _chores[name] = Chore(name, fn, every, aside)
        return fn

    return register


def chores() -> list[Chore]:
    """Everything registered, in the order of registration."""
    return list(_chores.values())


def tick(now: float | None = None, *, threads: bool = False) -> dict[str, str]:
    """Run what is due; one chore's failure never stops the others. Gives the problems by chore.

    With `threads` nothing waits for a chore that runs aside: its problem is known in a later tick.
    """
    moment = time.monotonic() if now is None else now
    for item in chores():
        if moment - item.last < item.every:
            continue
        item.last = moment
        if threads and item.aside:
            item.run_aside()
        else:
            item.run()
    return {item.name: item.problem for item in chores() if item.problem}


def beat(name: str, problems: dict[str, str] | None = None, at: datetime | None = None) -> None:
    """Say that this process is alive, and which chores failed last."""
    detail = "; ".join(f"{chore}: {problem}" for chore, problem in sorted((problems or {}).items()))
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at or timezone.now(), "detail": detail[:2000]})


def net() -> str:
    """What the job worker calls once a minute: the same tick, in case the tick process is down."""
    problems = tick()
    beat("worker", problems)
    return f"{len(chores())} chores, {len(problems)} failed"
