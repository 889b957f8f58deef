"""Ask for long work, and do it: idempotent on its key, safe against a worker killed on any line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.portal.errors import DomainError
from stewardship.access import require
from stewardship.documents.errors import JobCancelled, JobEnded, LeaseLost, UnknownJob
from stewardship.documents.models import Blob, Job, JobStatus
from stewardship.documents.models.job import LEASE, MAX_ATTEMPTS
from stewardship.documents.rights import JobRight
from stewardship.journal.acting import acting

log = logging.getLogger(__name__)
Work = Callable[[Job], Blob | None]
TASK = "stewardship.documents.tasks.run"


@dataclass(frozen=True)
class Kind:
    """What does the work, and who is told when it ends without a result."""

    work: Work
    ended_badly: Callable[[Job], None] | None = None


_kinds: dict[str, Kind] = {}


def register(kind: str, work: Work, *, ended_badly: Callable[[Job], None] | None = None) -> None:
    """`work(job)` may run twice and be killed anywhere; it keeps its result in a transaction that calls `job.confirm()`."""
    _kinds[kind] = Kind(work, ended_badly)


def enqueue(kind: str, arguments: dict[str, Any], *, actor: Any, key: str) -> Job:
    """The job of this key, queued after commit when it is new. Raises UnknownJob for a kind nobody registered."""
    if kind not in _kinds:
        raise UnknownJob(kind)
    with transaction.atomic():
        job, is_new = Job.objects.get_or_create(
            key=key,
            defaults={"kind": kind, "arguments": arguments, "requested_by": actor, "lease_until": timezone.now() + LEASE},
        )
        if is_new:
            transaction.on_commit(lambda: _queue(job))
    return job


def _queue(job: Job) -> None:
    from django_q.tasks import async_task

    async_task(TASK, str(job.pk), task_name=f"{job.kind} {job.pk}"[:100], group=job.kind)


def run(job: Job, at: datetime) -> str:
    """Do the job, unless it is over or another worker has it. Returns one line for the log; never raises what the work raised."""
    if not job.claim(at):
        return f"{job.pk}: nothing to do"
    kind = _kinds.get(job.kind)
    try:
        if kind is None:
            raise UnknownJob(job.kind)
        if job.cancel_wanted:
            raise JobCancelled
        with acting(job.requested_by, via=f"job {job.kind}"), kept_alive(job):
            result = kind.work(job)
        job.finish(JobStatus.DONE, at=timezone.now(), result=result)
    except LeaseLost:
        return f"{job.pk}: taken over by another worker"
    except JobCancelled:
        _end_badly(job, JobStatus.CANCELLED, at=timezone.now(), message=_("Cancelled."))
    except DomainError as error:
        _end_badly(job, JobStatus.FAILED, at=timezone.now(), message=f"{error} {error.remedy}".strip())
    except Exception:
        log.exception("job %s of kind %s failed", job.pk, job.kind)
        message = _("It failed unexpectedly; the log of the worker says why.")
        _end_badly(job, JobStatus.FAILED, at=timezone.now(), message=message)
    return f"{job.pk}: {job.status}"


@contextmanager
def kept_alive(job: Job, every: float = LEASE.total_seconds() / 3) -> Iterator[None]:
    """Keep the lease while one long step has no progress to tell; a killed process takes its heartbeat with it."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(every):
                job.keep(timezone.now())
        except DatabaseError:  # the lease runs out, and another worker takes over
            log.warning("job %s has no heartbeat any more", job.pk, exc_info=True)
        finally:
            connection.close()

    heart = threading.Thread(target=beat, name=f"job {job.pk}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def cancel(job: Job, *, actor: Any) -> None:
    """Stop it: at once while it is queued, else at its next step. Raises JobEnded when it is over."""
    require(actor, JobRight.VIEW, job)
    stop(job)


def stop(job: Job) -> None:
    """Cancel as part of a verb that has asked for permission already."""
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        if not row.is_open:
            raise JobEnded(_("This job is over; there is nothing to cancel."), field="status")
        row.cancel_wanted = True
        if row.status == JobStatus.QUEUED:
            row.status, row.finished_at = JobStatus.CANCELLED, timezone.now()
        row.save(update_fields=["cancel_wanted", "status", "finished_at"])
        if row.status == JobStatus.CANCELLED:
            _tell(row)
    job.refresh_from_db()


def _end_badly(job: Job, status: JobStatus, *, at: datetime, message: str) -> None:
    """End it without a result, if it is still ours. Ended and told are one commit: a death between would leave a record open for ever."""
    with transaction.atomic():
        if job.finish(status, at=at, message=message):
            _tell(job)


def _tell(job: Job) -> None:
    """Let the kind put its own record in order after an end without a result; inside the transaction that ends the job."""
    kind = _kinds.get(job.kind)
    if kind and kind.ended_badly:
        kind.ended_badly(job)


def requeue_stranded(at: datetime) -> int:
    """Queue again what a dead worker left behind; give up after MAX_ATTEMPTS. Returns how many were found."""
    found = 0
    for job in Job.objects.stranded(at):
        found += 1
        if job.attempt >= MAX_ATTEMPTS:
            if job.claim(at):
                _give_up(job, at)
            continue
        # A guarded update: of two ticks, one queues it. The lease is moved so that the next tick leaves it in peace.
        if Job.objects.filter(pk=job.pk, lease_until=job.lease_until).update(lease_until=at + LEASE, status=JobStatus.QUEUED):
            _queue(job)
    return found


def _give_up(job: Job, at: datetime) -> None:
    """End what keeps killing its workers. Where its kind cannot be told, it stays open until it can, and the others go on."""
    try:
        text = ngettext("Its worker died %(times)d time.", "Its worker died %(times)d times.", MAX_ATTEMPTS) % {"times": MAX_ATTEMPTS}
        _end_badly(job, JobStatus.FAILED, at=at, message=text)
    except Exception:
        log.exception("job %s of kind %s cannot be ended", job.pk, job.kind)
