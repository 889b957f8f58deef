"""Alerts over the API, and the way in for signals."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import path
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal.api import GovernedViewSet, StrictSerializer
from monitoring.alerts import inbound
from monitoring.alerts.models import BY_PEOPLE, Alert, Resolution, Status
from monitoring.alerts.rights import AlertRight
from monitoring.thresholds.models import LevelChoice


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """An alert as others read it; names beside ids."""

    model = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    environment = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    acknowledged_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    context = serializers.JSONField(read_only=True)  # type: ignore[assignment]  # a field of this name; the base's attribute is set per instance

    class Meta:
        model = Alert
        fields = (
            "id",
            "kind",
            "level",
            "status",
            "title",
            "model",
            "version",
            "environment",
            "region",
            "series",
            "episode",
            "next_action",
            "context",
            "began_at",
            "opened_at",
            "cleared_at",
            "acknowledged_at",
            "acknowledged_by",
            "resolved_at",
            "resolution",
            "resolution_reason",
        )
        read_only_fields = fields


class AcknowledgeSerializer(StrictSerializer):
    """Taking an alert on."""

    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class InvestigateSerializer(StrictSerializer):
    """Opening an investigation."""

    reason = serializers.CharField(max_length=2000, help_text=_("What is suspected."))


class ResolveSerializer(StrictSerializer):
    """Closing an alert."""

    outcome = serializers.ChoiceField(choices=[(choice.value, choice.label) for choice in BY_PEOPLE])
    reason = serializers.CharField(max_length=2000)


class AlertFilter(filters.FilterSet):
    """Which alerts."""

    model = filters.CharFilter(field_name="model__slug")
    region = filters.CharFilter(field_name="region__code")
    status = filters.ChoiceFilter(choices=Status.choices)
    level = filters.ChoiceFilter(choices=LevelChoice.choices)
    resolution = filters.ChoiceFilter(choices=Resolution.choices)

    class Meta:
        model = Alert
        fields = ("model", "region", "status", "level", "resolution")


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """Alerts, newest first; each verb of the page is one here too."""

    model = Alert
    queryset = Alert.objects.select_related("model", "version", "environment", "region", "acknowledged_by")
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    ordering = ("-opened_at",)
    rights: ClassVar[dict[str, str]] = {
        "list": AlertRight.VIEW,
        "retrieve": AlertRight.VIEW,
        "acknowledge": AlertRight.ACKNOWLEDGE,
        "investigate": AlertRight.INVESTIGATE,
        "resolve": AlertRight.RESOLVE,
    }

    @extend_schema(request=AcknowledgeSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str | None = None) -> Response:
        """Take it on: nobody else is called about this level."""
        said = self._said(AcknowledgeSerializer, request)
        alert = self.get_object()
        alert.acknowledge(actor=request.user, reason=said["reason"])
        return Response(AlertSerializer(alert).data)

    @extend_schema(request=InvestigateSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def investigate(self, request: Request, pk: str | None = None) -> Response:
        """Open a formal investigation."""
        said = self._said(InvestigateSerializer, request)
        alert = self.get_object()
        alert.investigate(actor=request.user, reason=said["reason"])
        return Response(AlertSerializer(alert).data)

    @extend_schema(request=ResolveSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str | None = None) -> Response:
        """Close the episode and say what it was."""
        said = self._said(ResolveSerializer, request)
        alert = self.get_object()
        alert.resolve(actor=request.user, outcome=said["outcome"], reason=said["reason"])
        return Response(AlertSerializer(alert).data)

    def _said(self, kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
        serializer = kind(data=request.data)
        serializer.is_valid(raise_exception=True)
        said: dict[str, Any] = serializer.validated_data
        return said


routes = [("alerts", AlertViewSet, "alert")]
urlpatterns = [
    path("signals/", inbound.signals, name="signals"),
    path("inbound/<slug:key>/", inbound.inbound, name="inbound"),
]
