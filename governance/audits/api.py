"""Reports over the API: list, ask, look, take away."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal.api import GovernedViewSet, StrictModelSerializer, StrictSerializer
from config.portal.errors import Invalid
from governance.audits.models import Report
from governance.audits.request import request as ask
from governance.audits.rights import ReportRight
from stewardship.documents.pages import download
from stewardship.inventory.models import RegisteredModel
from stewardship.inventory.rights import ModelRight


class ReportSerializer(StrictModelSerializer):
    model = serializers.SlugRelatedField[RegisteredModel](slug_field="slug", read_only=True)
    sha256 = serializers.CharField(
        source="blob.sha256", default="", read_only=True, help_text=gettext_lazy("Of the sealed file; empty until it is ready.")
    )
    percent = serializers.IntegerField(source="job.percent", default=0, read_only=True)

    class Meta:
        model = Report
        fields = (
            "id",
            "kind",
            "model",
            "as_of",
            "size",
            "status",
            "percent",
            "rows",
            "sha256",
            "content_sha256",
            "manifest_sha256",
            "problem",
        )
        read_only_fields = fields


class ReportRequest(StrictSerializer):
    model = serializers.SlugField(max_length=100, help_text=gettext_lazy("Short name of the model."))


class ReportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """Audit reports. POST asks for one about a model as of now; poll it until `status` is `ready`, then GET `file/`."""

    model = Report
    queryset = Report.objects.select_related("model", "job", "blob")
    serializer_class = ReportSerializer
    rights = {"list": ReportRight.VIEW, "retrieve": ReportRight.VIEW, "create": ReportRight.REQUEST, "file": ReportRight.VIEW}
    ordering = ("-as_of",)
    filterset_fields = ("status", "model__slug")

    @extend_schema(request=ReportRequest, responses={202: ReportSerializer})
    def create(self, request: Request) -> Response:
        """Ask for a report; 202, since a worker makes it."""
        given = ReportRequest(data=request.data)
        given.is_valid(raise_exception=True)
        model = RegisteredModel.objects.allowed(request.user, ModelRight.VIEW).filter(slug=given.validated_data["model"]).first()
        if model is None:
            raise Invalid(_("There is no such model, or none that you may see."), field="model", remedy=_("Use the model's short name."))
        report = ask(model=model, actor=request.user)  # type: ignore[arg-type]  # authenticated
        return Response(ReportSerializer(report).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: Any = None) -> HttpResponse:
        """The sealed PDF; 409 until it is ready."""
        report: Report = self.get_object()
        return download(report.file().read(), name=report.file_name, media_type="application/pdf")


routes = [("reports", ReportViewSet, "report")]
