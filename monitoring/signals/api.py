"""Series and their windows over the API. What comes in is received by `alerts.api`, which judges it at once."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal.api import GovernedViewSet
from config.portal.errors import Invalid
from monitoring.signals.models import Series, Window
from monitoring.signals.rights import SeriesRight


class SeriesSerializer(serializers.ModelSerializer[Series]):
    """A series, by the names of what it is about."""

    model = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    environment = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    metric = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Series
        fields = ("id", "model", "version", "environment", "region", "metric", "method", "subject", "direction", "unit", "created_at")
        read_only_fields = fields


class WindowSerializer(serializers.ModelSerializer[Window]):
    """One measured window; a corrected one comes later with the same span."""

    value = serializers.DecimalField(max_digits=30, decimal_places=12, normalize_output=True, read_only=True)
    context = serializers.JSONField(read_only=True)  # type: ignore[assignment]  # a field of this name; the base's attribute is set per instance

    class Meta:
        model = Window
        fields = ("id", "start", "end", "value", "n", "external_id", "context", "received_at")
        read_only_fields = fields


class SeriesFilter(filters.FilterSet):
    """Which series."""

    model = filters.CharFilter(field_name="model__slug")
    region = filters.CharFilter(field_name="region__code")
    metric = filters.CharFilter(field_name="metric__slug")

    class Meta:
        model = Series
        fields = ("model", "region", "metric", "method", "subject")


class SeriesViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """Everything that is measured about the models one may see."""

    model = Series
    queryset = Series.objects.select_related("model", "version", "environment", "region", "metric")
    serializer_class = SeriesSerializer
    filterset_class = SeriesFilter
    ordering = ("-created_at",)
    rights: ClassVar[dict[str, str]] = {"list": SeriesRight.VIEW, "retrieve": SeriesRight.VIEW, "windows": SeriesRight.VIEW}

    @extend_schema(
        responses=WindowSerializer(many=True),
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="Windows that end at or after this."),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="Windows that end before this."),
        ],
    )
    @action(detail=True, methods=["get"], filterset_class=None)
    def windows(self, request: Request, pk: str | None = None) -> Response:
        """The windows of a series, newest first."""
        self.ordering = ("-end", "-received_at")  # type: ignore[assignment]
        rows = Window.objects.filter(series=self.get_object())
        for name, lookup in (("from", "end__gte"), ("to", "end__lt")):
            if request.query_params.get(name):
                rows = rows.filter(**{lookup: _moment(name, request.query_params[name])})
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(WindowSerializer(page, many=True).data)


def _moment(name: str, text: str) -> Any:
    try:
        found = parse_datetime(text.replace(" ", "+"))
        if found is not None:
            found.astimezone(UTC)  # at either end of the calendar there is no such moment
    except (ValueError, OverflowError):
        found = None
    if found is None or is_naive(found):
        raise Invalid(_("This is no moment with a zone."), field=name, remedy=_("Write it like 2026-11-22T08:00:00Z."))
    return found


routes = [("series", SeriesViewSet, "series")]
