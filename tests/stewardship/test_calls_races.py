"""Real threads, real transactions, PostgreSQL: whoever is second sees what the first one did."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from config.portal.errors import DomainError
from stewardship.coverage.gaps import open_gap
from stewardship.coverage.models import Gap
from stewardship.escalation.fire import fire_due
from stewardship.escalation.models import Run, Status, Timer
from stewardship.journal.acting import acting
from stewardship.notices.deliver import deliver
from stewardship.notices.models import Delivery, Notice
from stewardship.people.models import system_user
from stewardship.signing.errors import TokenRefused
from stewardship.signing.mint import mint
from stewardship.signing.models import Attempts, Meaning, Signature
from stewardship.signing.sign import sign
from tests.cast import PASSWORD, make_cast
from tests.stewardship.calls import Things, begin, make_path
from tests.stewardship.calls import things as things

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL"),
]
N = 6


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run all at the same instant, each with its own connection; returns results and exceptions."""
    start = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_the_same_token_signs_once() -> None:
    bob = make_cast().users["bob"]
    what: dict[str, Any] = {"subject_kind": "change", "subject_id": uuid.uuid4(), "digest": "a" * 64, "meaning": Meaning.APPROVE}
    token = mint(user=bob, session_key="s", method="password", credential=PASSWORD, **what)
    results = at_once(*[lambda: sign(actor=bob, token=token, session_key="s", **what)] * N)
    assert sum(isinstance(result, Signature) for result in results) == 1
    assert sum(isinstance(result, TokenRefused) and "used before" in str(result) for result in results) == N - 1
    assert Signature.objects.count() == 1


def test_parallel_guesses_lock_after_five() -> None:
    bob = make_cast().users["bob"]

    def guess() -> Any:
        return mint(
            user=bob,
            session_key="s",
            subject_kind="c",
            subject_id=uuid.uuid4(),
            digest="a" * 64,
            meaning="approve",
            method="password",
            credential="x",
        )

    results = at_once(*[guess] * 9)
    assert all(isinstance(result, DomainError) for result in results), results
    assert sum("code is wrong" in str(result) for result in results) <= 4, "the fifth locks, and so does every later one"
    assert Attempts.objects.get(user=bob).locked_until is not None


def test_ticks_at_once_call_once(things: Things) -> None:
    cast = make_cast()
    make_path(cast, "responder", "risk", seconds=3600)
    runs = [begin(cast, timezone.now() - timedelta(seconds=1)) for _each in range(4)]
    at_once(*[fire_due] * N)
    for run in runs:
        assert run.events.filter(kind="called").count() == 1
        assert Timer.objects.filter(run=run, state="pending").count() == 1
    assert Notice.objects.filter(cause_kind="escalation", channel="email").count() == 4


def test_answering_while_it_fires(things: Things) -> None:
    cast = make_cast()
    make_path(cast, "responder", "risk", seconds=3600)
    for _round in range(8):
        run = begin(cast, timezone.now() - timedelta(seconds=1))
        ivan, kate = cast.users["ivan"], cast.users["kate"]
        first, second = Run.objects.get(pk=run.pk), Run.objects.get(pk=run.pk)
        results = at_once(fire_due, partial(first.acknowledge, actor=ivan), partial(second.acknowledge, actor=kate), fire_due)
        assert sum(isinstance(result, DomainError) for result in results[1:3]) == 1, "one of two answers counts"
        run.refresh_from_db()
        assert run.status == Status.ACKNOWLEDGED
        assert not Timer.objects.filter(run=run, state="pending").exists()
        assert fire_due(timezone.now() + timedelta(days=1)) == 0


def test_stopping_beats_answering(things: Things) -> None:
    cast = make_cast()
    make_path(cast, "responder", seconds=3600)
    for _round in range(5):
        run = begin(cast, timezone.now())
        first, second = Run.objects.get(pk=run.pk), Run.objects.get(pk=run.pk)
        at_once(partial(first.stop, actor=cast.users["ivan"], reason="over"), partial(second.acknowledge, actor=cast.users["kate"]))
        run.refresh_from_db()
        assert run.status == Status.STOPPED


def test_the_same_start_and_the_same_gap_at_once(things: Things) -> None:
    cast = make_cast()
    make_path(cast, "responder")
    subject = uuid.uuid4()
    eu = cast.regions["eu"]
    results = at_once(*[lambda: begin(cast, timezone.now(), subject_id=subject)] * N)
    assert len({result.pk for result in results}) == 1
    gaps = at_once(*[lambda: open_gap(kind="k", subject_kind="thing", subject_id=subject, label="g", region=eu, actor=system_user())] * N)
    assert len({gap.pk for gap in gaps}) == 1
    assert Gap.objects.count() == 1


def test_two_deliveries_send_each_once(things: Things, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    from django.core import mail

    cast = make_cast()
    make_path(cast, "responder")
    for _each in range(5):
        begin(cast, timezone.now() - timedelta(seconds=1))
    fire_due()
    tried = at_once(*[deliver] * N)
    assert sum(tried) == 5
    assert len(mail.outbox) == 5
    assert set(Delivery.objects.filter(notice__channel="email").values_list("status", flat=True)) == {"sent"}


def test_an_undone_call_leaves_nothing(things: Things) -> None:
    cast = make_cast()
    make_path(cast, "responder")
    run = begin(cast, timezone.now() - timedelta(seconds=1))
    with pytest.raises(RuntimeError), transaction.atomic(), acting(system_user(), "a test"):
        fire_due()
        raise RuntimeError("killed before the commit")
    assert not run.events.filter(kind="called").exists()
    assert not Notice.objects.exists()
    assert fire_due() == 1
