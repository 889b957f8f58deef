"""django-q2 and tick entry points."""

from __future__ import annotations

from django.utils import timezone

from stewardship.documents import jobs
from stewardship.documents.models import Job


def run(job_id: str) -> str:
    """Do one job by its id."""
    return jobs.run(Job.objects.get(pk=job_id), timezone.now())


def requeue() -> int:
    """The chore of every tick: jobs whose worker died are queued again."""
    return jobs.requeue_stranded(timezone.now())
