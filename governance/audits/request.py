"""Ask for a report: pin the instant and the size of the journal, and queue the work."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from governance.audits.errors import JournalNotReady
from governance.audits.models import Report
from governance.audits.rights import ReportRight
from stewardship.access import require
from stewardship.documents import jobs, pdf
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.journal.publish import latest
from stewardship.journal.sequence import settle
from stewardship.people.models import User

JOB = "audits:report"


def request(*, model: RegisteredModel, actor: User) -> Report:
    """A report about this model as of now. Not inside a transaction: the journal is brought up to date first.

    Raises Unavailable where no PDF can be made and JournalNotReady without a signed checkpoint.
    """
    require(actor, ReportRight.REQUEST, model)
    pdf.available()
    settle()
    checkpoint = latest()
    if checkpoint is None:
        raise JournalNotReady(_("The journal has no signed checkpoint yet."), remedy=_("Run “manage.py journal sequence” and ask again."))
    with transaction.atomic(), acting(actor, _("Audit report requested")):
        report = Report(model=model, as_of=moment(), size=checkpoint.size, requested_by=actor)
        report.job = jobs.enqueue(JOB, {"report": str(report.pk)}, actor=actor, key=f"{JOB}:{report.pk}")
        report.save()
    return report


def cancel(report: Report, *, actor: User) -> None:
    """Stop making it; raises when it is over."""
    require(actor, ReportRight.REQUEST, report)
    if report.job is not None:
        jobs.stop(report.job)
    report.refresh_from_db()
