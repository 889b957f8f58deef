"""A long piece of work: asked for once, done by whichever worker holds its lease, never done twice to the end."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.portal.permission import Paths, Restricted
from stewardship.documents.errors import JobCancelled, LeaseLost
from stewardship.documents.models.blob import Blob
from stewardship.documents.rights import JobRight
from stewardship.journal.fields import DocumentField

LEASE = timedelta(seconds=settings.JOB_LEASE_SECONDS)
MAX_ATTEMPTS = 5


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)


class JobQuerySet(Restricted):
    def open(self) -> JobQuerySet:
        """Not over yet."""
        return self.filter(status__in=OPEN)

    def stranded(self, at: datetime) -> JobQuerySet:
        """Open, but no worker has shown a sign of life for a whole lease."""
        return self.open().filter(lease_until__lte=at)


class Job(models.Model):
    """One piece of work. Plain, not journalled: what it makes is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=60)
    key = models.CharField(_("key"), max_length=200, unique=True)
    arguments = DocumentField(_("arguments"), default=dict)
    status = models.CharField(_("status"), max_length=12, choices=JobStatus, default=JobStatus.QUEUED, db_index=True)
    done = models.PositiveIntegerField(pgettext_lazy("count", "done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("requested by"), on_delete=models.PROTECT, related_name="+")
    result = models.ForeignKey(Blob, verbose_name=_("result"), on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    cancel_wanted = models.BooleanField(_("cancel wanted"), default=False)
    lease_until = models.DateTimeField(_("lease until"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()
    access_paths: ClassVar[Paths] = Paths(person=("requested_by_id",))
    view_right: ClassVar[str] = JobRight.VIEW

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ("-created_at", "id")

    def __str__(self) -> str:
        return f"{self.kind} {self.get_status_display()}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def percent(self) -> int:
        """0–100; 0 while the amount of work is not known."""
        return min(100, 100 * self.done // self.total) if self.total else 0

    def claim(self, at: datetime) -> bool:
        """Take the job for this worker, unless it is over or another worker's lease still runs."""
        with transaction.atomic():
            row = type(self).objects.select_for_update().get(pk=self.pk)
            held = row.status == JobStatus.RUNNING and row.lease_until > at
            if not row.is_open or held:
                return False
            row.status, row.attempt, row.lease_until = JobStatus.RUNNING, row.attempt + 1, at + LEASE
            row.save(update_fields=["status", "attempt", "lease_until"])
        self.refresh_from_db()
        return True

    def _mine(self) -> models.QuerySet[Job]:
        return type(self).objects.filter(pk=self.pk, attempt=self.attempt, status=JobStatus.RUNNING)

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Say how far it is and keep the lease; raises JobCancelled or LeaseLost, so call it often.

        Not inside a transaction: nobody would see it before the end.
        """
        changed = self._mine().update(done=done, total=total, message=message[:500], lease_until=timezone.now() + LEASE)
        if not changed:
            raise LeaseLost(f"Another worker has taken {self} over.")
        self.refresh_from_db()
        if self.cancel_wanted:
            raise JobCancelled

    def keep(self, at: datetime) -> None:
        """Show a sign of life; nothing when the job is no longer ours."""
        self._mine().update(lease_until=at + LEASE)

    def confirm(self) -> None:
        """Inside the transaction that keeps the result: lock the row; raises LeaseLost or JobCancelled if it is no longer ours."""
        row = self._mine().select_for_update().first()
        if row is None:
            raise LeaseLost(f"Another worker has taken {self} over.")
        if row.cancel_wanted:
            raise JobCancelled

    def finish(self, status: JobStatus, *, at: datetime, message: str = "", result: Blob | None = None) -> bool:
        """End it, if it is still ours to end."""
        values: dict[str, Any] = {"status": status, "finished_at": at, "result": result, "message": message[:500]}
        if status == JobStatus.DONE:
            values["done"] = models.F("total")
        ended = bool(self._mine().update(**values))
        self.refresh_from_db()
        return ended
