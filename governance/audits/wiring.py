"""What this slice puts into the registries of the floors below."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.portal import registry
from governance.audits import build
from governance.audits.models import Report
from governance.audits.request import JOB
from governance.audits.rights import ReportRight
from stewardship.access import rights
from stewardship.documents import jobs, owners
from stewardship.documents.models import Blob
from stewardship.notices import causes


def wire() -> None:
    """Called once, when the apps are ready."""
    rights.register(ReportRight)
    jobs.register(JOB, build.work, ended_badly=build.ended_badly)
    owners.register("audit report", _may_read)
    causes.register("audits.report", still_wanted=causes.always, link=lambda report_id: reverse("report_detail", args=[report_id]))
    registry.nav.register("Proof", _("Audit"), "report_list", ReportRight.VIEW, order=10, icon="report")
    registry.commands.register(_("Audit reports"), "report_list", ReportRight.VIEW)


def _may_read(user: Any, blob: Blob) -> bool:
    return bool(Report.objects.allowed(user, ReportRight.VIEW).filter(blob=blob).exists())
