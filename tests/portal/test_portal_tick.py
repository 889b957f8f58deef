"""The tick: everything due is looked after, one failure stops nothing, and it says that it is alive."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django_q.models import Schedule

from config.portal import tick
from config.portal.apps import schedule_net
from config.portal.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    kept = dict(tick._chores)
    tick._chores.clear()
    yield
    tick._chores.clear()
    tick._chores.update(kept)


def _break() -> None:
    raise ValueError("no milk")


def test_a_broken_chore_stops_no_other_and_is_told_until_it_works() -> None:
    done: list[str] = []
    tick.chore("broken")(_break)
    tick.chore("fine")(lambda: done.append("fine"))
    assert tick.tick(now=0) == {"broken": "ValueError"}
    assert done == ["fine"]
    tick.chore("broken")(lambda: done.append("mended"))
    assert tick.tick(now=1) == {}
    assert done == ["fine", "mended", "fine"] or done == ["fine", "fine", "mended"]


def test_a_slow_chore_runs_at_its_own_pace_and_keeps_its_problem() -> None:
    tick.chore("hourly", every=3600)(_break)
    assert tick.tick(now=0) == {"hourly": "ValueError"}
    assert tick.tick(now=10) == {"hourly": "ValueError"}
    tick.chores()[0].fn = lambda: None
    assert tick.tick(now=10) != {}
    assert tick.tick(now=3600) == {}


def test_a_chore_that_waits_for_others_holds_up_nothing() -> None:
    answer, done = threading.Event(), []
    tick.chore("mail", aside=True)(lambda: answer.wait(60) and _break())
    tick.chore("timers")(lambda: done.append("timers"))
    assert tick.tick(now=0, threads=True) == tick.tick(now=1, threads=True) == {}
    assert done == ["timers", "timers"]
    assert [thread.name for thread in threading.enumerate()].count("mail") == 1, "the second tick does not send beside the first"
    answer.set()
    waiting = tick.chores()[0].thread
    assert waiting is not None
    waiting.join()
    assert tick.tick(now=1, threads=True) == {"mail": "ValueError"}


def test_the_worker_is_a_net_and_beats() -> None:
    tick.chore("broken")(_break)
    assert tick.net() == "1 chores, 1 failed"
    assert Heartbeat.objects.get(pk="worker").detail == "broken: ValueError"


def test_the_net_is_scheduled_once_a_minute_however_often_we_migrate() -> None:
    schedule_net()
    schedule_net()
    entry = Schedule.objects.get(func="config.portal.tick.net")
    assert (entry.schedule_type, entry.minutes, entry.repeats) == ("I", 1, -1)


def test_the_command_beats_and_stops_when_told() -> None:
    tick.chore("stop me")(lambda: os.kill(os.getpid(), signal.SIGTERM))
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        call_command("tick")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert Heartbeat.objects.filter(pk="tick").exists()


def test_once_is_once() -> None:
    done: list[int] = []
    tick.chore("count")(lambda: done.append(1))
    call_command("tick", "--once")
    assert done == [1]
