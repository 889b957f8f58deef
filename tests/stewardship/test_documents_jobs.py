"""Long work: asked for once, done by one, taken up again when its worker died."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone
from django_q.models import OrmQ

from config.portal.errors import Invalid
from stewardship.access.errors import NotVisible
from stewardship.documents import blobs, jobs, tasks
from stewardship.documents.errors import JobCancelled, JobEnded, LeaseLost, UnknownJob
from stewardship.documents.models import Blob, Job, JobStatus
from stewardship.documents.models.job import LEASE, MAX_ATTEMPTS
from stewardship.journal.acting import current
from stewardship.people.models import User


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_kinds", {})


def greet(job: Job) -> Blob:
    """Work in two steps, as whoever asked."""
    assert current().actor_id == job.requested_by_id
    job.progress(1, 2, "Half")
    return blobs.store(job.arguments["text"].encode(), name="greeting.txt", media_type="text/plain", actor=job.requested_by)


@pytest.fixture
def job(alice: User) -> Job:
    jobs.register("greet", greet)
    return jobs.enqueue("greet", {"text": "hello"}, actor=alice, key="greet:1")


def test_the_same_key_is_the_same_job_and_is_queued_once(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    jobs.register("greet", greet)
    with django_capture_on_commit_callbacks(execute=True):
        first = jobs.enqueue("greet", {"text": "hello"}, actor=alice, key="k")
        assert jobs.enqueue("greet", {"text": "other"}, actor=alice, key="k") == first
        assert not OrmQ.objects.exists()  # not before the commit
    assert OrmQ.objects.count() == 1


def test_an_unknown_kind_is_a_mistake_in_the_code(alice: User) -> None:
    with pytest.raises(UnknownJob):
        jobs.enqueue("nonsense", {}, actor=alice, key="k")


def test_it_is_done_once(job: Job) -> None:
    assert tasks.run(str(job.pk)).endswith("done")
    job.refresh_from_db()
    assert (job.status, job.percent, job.attempt) == (JobStatus.DONE, 100, 1)
    assert job.result is not None
    assert job.result.read() == b"hello"
    assert tasks.run(str(job.pk)).endswith("nothing to do")


def test_while_one_worker_has_it_no_other_takes_it(job: Job) -> None:
    at = timezone.now()
    assert job.claim(at)
    assert not Job.objects.get(pk=job.pk).claim(at + LEASE - timedelta(seconds=1))
    assert Job.objects.get(pk=job.pk).claim(at + LEASE)


def test_a_worker_that_was_given_up_keeps_nothing(job: Job) -> None:
    at = timezone.now()
    job.claim(at)
    other = Job.objects.get(pk=job.pk)
    assert other.claim(at + LEASE)
    with pytest.raises(LeaseLost):
        job.progress(1, 2)
    with pytest.raises(LeaseLost):
        job.confirm()
    assert not job.finish(JobStatus.DONE, at=at)
    other.confirm()


def test_losing_the_lease_ends_the_work_quietly(alice: User) -> None:
    def slow(job: Job) -> None:
        Job.objects.filter(pk=job.pk).update(attempt=job.attempt + 1)
        job.progress(1, 2)

    jobs.register("slow", slow)
    job = jobs.enqueue("slow", {}, actor=alice, key="s")
    assert jobs.run(job, timezone.now()).endswith("taken over by another worker")
    assert Job.objects.get(pk=job.pk).status == JobStatus.RUNNING


def test_a_refusal_and_a_crash_both_end_it_and_its_kind_is_told(alice: User) -> None:
    told: list[str] = []

    def refuse(job: Job) -> None:
        raise Invalid("The rows are wrong.", remedy="Look at them.")

    def crash(job: Job) -> None:
        raise RuntimeError("secret detail")

    jobs.register("refuse", refuse, ended_badly=lambda job: told.append(job.kind))
    jobs.register("crash", crash, ended_badly=lambda job: told.append(job.kind))
    for kind, message in (
        ("refuse", "The rows are wrong. Look at them."),
        ("crash", "It failed unexpectedly; the log of the worker says why."),
    ):
        job = jobs.enqueue(kind, {}, actor=alice, key=kind)
        jobs.run(job, timezone.now())
        assert (job.status, job.message) == (JobStatus.FAILED, message)
    assert told == ["refuse", "crash"]


def test_a_kind_that_vanished_fails_the_job(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_kinds", {})
    jobs.run(job, timezone.now())
    assert job.status == JobStatus.FAILED


def test_cancelling_before_and_while_it_runs(job: Job, alice: User) -> None:
    jobs.cancel(job, actor=alice)
    assert job.status == JobStatus.CANCELLED
    with pytest.raises(JobEnded):
        jobs.cancel(job, actor=alice)

    def long(running: Job) -> None:
        jobs.cancel(Job.objects.get(pk=running.pk), actor=alice)
        with pytest.raises(JobCancelled):
            running.confirm()
        running.progress(1, 2)

    jobs.register("long", long)
    other = jobs.enqueue("long", {}, actor=alice, key="l")
    assert jobs.run(other, timezone.now()).endswith("cancelled")


def test_one_cancelled_while_its_worker_was_dead_is_not_begun_again(job: Job, alice: User) -> None:
    at = timezone.now()
    job.claim(at)
    jobs.cancel(job, actor=alice)
    assert Job.objects.get(pk=job.pk).status == JobStatus.RUNNING
    jobs.run(job, at + LEASE)
    assert job.status == JobStatus.CANCELLED


def test_a_stranger_can_neither_see_nor_cancel_it(job: Job, charlie: User) -> None:
    with pytest.raises(NotVisible):
        jobs.cancel(job, actor=charlie)


def test_what_a_dead_worker_left_is_queued_again_once(job: Job, django_capture_on_commit_callbacks: Any) -> None:
    at = timezone.now()
    job.claim(at)
    assert jobs.requeue_stranded(at) == 0
    assert jobs.requeue_stranded(at + LEASE) == 1
    assert jobs.requeue_stranded(at + LEASE) == 0
    assert OrmQ.objects.count() == 1
    jobs.run(job, at + LEASE)
    assert job.status == JobStatus.DONE


def test_of_two_ticks_one_queues_it(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    at = timezone.now()
    job.claim(at)

    class Both:
        """What the other tick read before this one wrote."""

        def __iter__(self) -> Iterator[Job]:
            stale = Job.objects.get(pk=job.pk)
            jobs.Job.objects.filter(pk=job.pk).update(lease_until=at + 5 * LEASE)
            return iter([stale])

    monkeypatch.setattr(type(Job.objects.all()), "stranded", lambda self, when: Both())
    jobs.requeue_stranded(at + LEASE)
    assert not OrmQ.objects.exists()


def test_after_so_many_deaths_it_is_given_up(job: Job) -> None:
    told: list[str] = []
    jobs.register("greet", greet, ended_badly=lambda job: told.append(job.status))
    at = timezone.now()
    Job.objects.filter(pk=job.pk).update(attempt=MAX_ATTEMPTS, status="running", lease_until=at)
    assert tasks.requeue() == 1
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert "died 5 times" in job.message
    assert told == ["failed"]


class Killed(BaseException):
    """What no handler of ours catches, as after a kill -9."""


@pytest.mark.parametrize("end", ["failed", "cancelled", "stopped", "given up"])
def test_killed_before_its_kind_is_told_it_is_not_over(alice: User, end: str) -> None:
    """Ended and told are one commit; otherwise the kind's own record would say "being made" for ever."""
    told: list[str] = []

    def work(job: Job) -> None:
        raise JobCancelled if end == "cancelled" else Invalid("No.")

    def tell(job: Job) -> None:
        told.append(job.status)
        if len(told) == 1:
            raise Killed

    def go(at: Any) -> None:
        mine = Job.objects.get(pk=job.pk)
        if end == "stopped":
            jobs.stop(mine)
        elif end == "given up":
            jobs.requeue_stranded(at)
        else:
            jobs.run(mine, at)

    jobs.register("work", work, ended_badly=tell)
    at = timezone.now()
    job = jobs.enqueue("work", {}, actor=alice, key="w")
    if end == "given up":
        Job.objects.filter(pk=job.pk).update(attempt=MAX_ATTEMPTS, status="running", lease_until=at)
    with pytest.raises(Killed):
        go(at)
    assert Job.objects.get(pk=job.pk).is_open
    go(at + 2 * LEASE)
    assert not Job.objects.get(pk=job.pk).is_open
    assert told[0] == told[1]


def test_a_kind_that_cannot_be_told_does_not_stop_the_others(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(job: Job) -> None:
        raise RuntimeError("the record is in no state to fail")

    jobs.register("bad", greet, ended_badly=refuse)
    jobs.register("good", greet)
    at = timezone.now()
    for kind in ("good", "bad"):  # the newest comes first
        jobs.enqueue(kind, {}, actor=alice, key=kind)
    Job.objects.update(attempt=MAX_ATTEMPTS, status="running", lease_until=at)
    assert jobs.requeue_stranded(at) == 2
    assert "cannot be ended" in caplog.text
    assert set(Job.objects.values_list("kind", "status")) == {("bad", "running"), ("good", "failed")}


def test_a_long_step_keeps_its_lease_by_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    beats = threading.Semaphore(0)
    job = Job(kind="x", key="x", lease_until=timezone.now())
    monkeypatch.setattr(Job, "keep", lambda self, at: beats.release())
    with jobs.kept_alive(job, every=0.01):
        assert beats.acquire(timeout=10)
        assert beats.acquire(timeout=10)


def test_a_heart_that_stops_ends_quietly(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Event()

    def locked(self: Job, at: Any) -> None:
        tried.set()
        raise OperationalError("database is locked")

    monkeypatch.setattr(Job, "keep", locked)
    with jobs.kept_alive(Job(kind="x", key="x"), every=0.01):
        assert tried.wait(10)
    assert "no heartbeat" in caplog.text


def test_a_sign_of_life_moves_the_lease(job: Job) -> None:
    at = timezone.now()
    job.claim(at)
    job.keep(at + LEASE / 2)
    assert not Job.objects.get(pk=job.pk).claim(at + LEASE)


def test_words_for_people(job: Job) -> None:
    assert str(job) == "greet Queued"
    assert job.percent == 0
    assert "stewardship" in tasks.run.__module__


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_the_same_instant_one_gets_it() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")
    from stewardship.people.models import system_user

    job = Job(kind="x", key="x", requested_by=system_user(), lease_until=timezone.now())
    job.save()
    at, gate, got = timezone.now(), threading.Barrier(4), []

    def work() -> None:
        try:
            mine = Job.objects.get(pk=job.pk)
            gate.wait(10)
            got.append(mine.claim(at))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(got) == [False, False, False, True]
