"""Sources and metrics are configured here; batches and quarantine are shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field

from config.portal.admin import GovernedAdmin
from monitoring.signals import adapters
from monitoring.signals.models import Batch, Metric, Quarantined, Series, Source, Verdict, Window
from monitoring.signals.rights import SeriesRight, SourceRight

# Rows that only the domain's verbs write: without a right to change them a screen only shows.
_RECEIVED = {"view": SourceRight.VIEW}
_MEASURED = {"view": SeriesRight.VIEW}


@admin.register(Source)
class SourceAdmin(GovernedAdmin):
    """Who may send, in which format, and what its words mean."""

    rights = {"view": SourceRight.VIEW, "change": SourceRight.CONFIGURE}
    list_display = ("name", "slug", "kind", "region", "user", "active")
    list_select_related = ("region", "user")
    list_filter = ("active",)
    search_fields = ("name", "slug")

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        """Formats are those that have an adapter here."""
        if db_field.name == "kind":
            return forms.ChoiceField(label=db_field.verbose_name, choices=[(kind, kind) for kind in adapters.kinds()])
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Metric)
class MetricAdmin(GovernedAdmin):
    """The catalogue of what can be measured."""

    rights = {"view": SeriesRight.VIEW, "change": SourceRight.CONFIGURE}
    list_display = ("slug", "name", "unit", "direction", "owner_role")
    list_select_related = ("owner_role",)
    search_fields = ("slug", "name")


@admin.register(Batch)
class BatchAdmin(GovernedAdmin):
    """What was received, with the digest of each body."""

    rights = _RECEIVED
    list_display = ("at", "source", "received", "accepted", "duplicates", "quarantined", "shortfall", "sha256")
    list_select_related = ("source",)
    list_filter = ("source",)


@admin.register(Quarantined)
class QuarantinedAdmin(GovernedAdmin):
    """Facts that nobody could place; they are placed or dismissed on their own pages."""

    rights = _RECEIVED
    list_display = ("received_at", "source", "field", "problem", "status")
    list_select_related = ("source",)
    list_filter = ("status", "field")


@admin.register(Series)
class SeriesAdmin(GovernedAdmin):
    """What is measured about which model, where, and which way is bad."""

    rights = _MEASURED
    list_display = ("name", "model", "version", "environment", "region", "direction", "unit", "created_at")
    list_select_related = ("metric", "model", "version__model", "environment", "region")
    list_filter = ("direction",)
    search_fields = ("model__name", "metric__slug", "method", "subject")


@admin.register(Window)
class WindowAdmin(GovernedAdmin):
    """What was measured, value by value; a corrected one stands beside the old."""

    rights = _MEASURED
    list_display = ("series", "series__model", "start", "end", "value", "n", "source", "received_at")
    list_select_related = ("series__metric", "series__model", "source")
    search_fields = ("external_id", "series__model__name")


@admin.register(Verdict)
class VerdictAdmin(GovernedAdmin):
    """What sources judged themselves, in their own words."""

    rights = _MEASURED
    list_display = ("name", "model", "region", "firing", "level", "source", "start", "end")
    list_select_related = ("model", "region", "source")
    list_filter = ("firing", "level")
    search_fields = ("name", "title", "external_id", "model__name")
