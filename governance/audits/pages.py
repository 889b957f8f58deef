"""Reports: all of them, one of them, ask for one, take it away."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Chip
from config.portal.pages import ActionPage, Crumb, ListPage, ObjectPage, PageAction
from config.portal.tables import Column, Filter, Table
from governance.audits import bundle
from governance.audits.models import Report, Status
from governance.audits.request import cancel, request
from governance.audits.rights import ReportRight
from governance.audits.trust import document
from stewardship.documents.pages import download
from stewardship.inventory.models import RegisteredModel


class ReportTable(Table):
    columns = (
        Column("model", _("Report on"), value="model__name", link=lambda report: report.get_absolute_url()),
        Column("status", _("Status"), value=lambda report: report.chip, export=lambda report: report.get_status_display()),
        Column("as_of", _("As of"), order="as_of"),
        Column("rows", _("Rows"), numeric=True, order="rows"),
        Column("requested_by", _("Requested by"), value=lambda report: report.requested_by.get_full_name()),
    )
    filters = (Filter("status", _("Status"), choices=Status.choices),)
    ordering = ("-as_of",)
    search = ("model__name__icontains", "model__slug__icontains")
    caption = _("Audit reports")
    empty = _("No report was ever asked for. Open a model and choose “Audit report”.")


class ReportList(ListPage):
    model = Report
    right = ReportRight.VIEW
    title = _("Audit reports")
    nav = "report_list"
    table = ReportTable

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("model", "requested_by")


class ReportDetail(ObjectPage):
    """Progress while it is made; then the file and how to verify it."""

    model = Report
    right = ReportRight.VIEW
    nav = "report_list"
    select_related = ("model", "requested_by", "job", "blob")
    template_name = "governance/audits/report_detail.html"

    def get_queryset(self) -> Any:
        """With whether the person may ask for reports there: whoever may not is offered neither to cancel nor to ask again."""
        may = RegisteredModel.objects.allowed(self.request.user, ReportRight.REQUEST).filter(pk=OuterRef("model"))
        return super().get_queryset().annotate(may_request=Exists(may))

    def get_title(self) -> str:
        report: Report = self.object
        name = {"model": report.model}
        return {
            Status.READY: gettext("The audit report on %(model)s is ready"),
            Status.FAILED: gettext("The audit report on %(model)s could not be made"),
            Status.CANCELLED: gettext("The audit report on %(model)s was cancelled"),
        }.get(Status(report.status), gettext("The audit report on %(model)s is being made")) % name

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(_("Audit"), reverse("report_list"))]

    def get_chips(self) -> Iterable[Chip]:
        return [self.object.chip]

    def get_actions(self) -> Iterable[PageAction]:
        report: Report = self.object
        if report.status != Status.READY:
            return []
        return [
            PageAction(_("Download the sealed PDF"), reverse("report_file", args=[report.pk]), primary=True),
            PageAction(_("Download the bundle"), reverse("report_bundle", args=[report.pk])),
        ]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request") and self.object.is_open:
            return render(request, "governance/audits/_report_progress.html", {"object": self.object})
        response = super().get(request, *args, **kwargs)
        if request.headers.get("HX-Request"):
            response = HttpResponse(headers={"HX-Refresh": "true"})
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(trust_text=json.dumps(document(), indent=2), **kwargs)


class ReportFile(ObjectPage):
    """The sealed PDF."""

    model = Report
    right = ReportRight.VIEW
    select_related = ("model", "blob")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return download(self.object.file().read(), name=self.object.file_name, media_type="application/pdf")


class ReportBundle(ObjectPage):
    """The machine-readable half as a signed archive."""

    model = Report
    right = ReportRight.VIEW
    select_related = ("model", "blob")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = self.object.file_name.removesuffix(".pdf") + ".zip"
        return download(bundle.of(self.object), name=name, media_type="application/zip")


class ReportNew(ActionPage):
    """Ask for a report on a model."""

    model = RegisteredModel
    right = ReportRight.REQUEST
    nav = "report_list"
    template_name = "governance/audits/report_new.html"
    submit_label = _("Make the report")

    def get_title(self) -> str:
        return gettext("Audit report on %(model)s") % {"model": self.object}

    def get_crumbs(self) -> Iterable[Crumb]:
        return [Crumb(self.object.name, reverse("model_detail", args=[self.object.pk]))]

    def submit(self, form: Any) -> str:
        return request(model=self.object, actor=self.request.user).get_absolute_url()  # type: ignore[arg-type]  # signed in


class ReportCancel(ActionPage):
    """Stop making it."""

    model = Report
    right = ReportRight.REQUEST
    nav = "report_list"
    title = _("Cancel this report?")
    submit_label = _("Cancel the report")

    def submit(self, form: Any) -> str:
        cancel(self.object, actor=self.request.user)  # type: ignore[arg-type]  # signed in
        return str(self.object.get_absolute_url())
