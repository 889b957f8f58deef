"""Sources and metrics are configured here; batches and quarantine are shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field
from django.http import HttpRequest

from config.portal.admin import GovernedAdmin
from monitoring.signals import adapters
from monitoring.signals.models import Batch, Metric, Quarantined, Source
from monitoring.signals.rights import SeriesRight, SourceRight


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


class ShownAdmin(GovernedAdmin):
    """Rows that only the domain's verbs write."""

    abstract = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False


@admin.register(Batch)
class BatchAdmin(ShownAdmin):
    """What was received, with the digest of each body."""

    rights = {"view": SourceRight.VIEW}
    list_display = ("at", "source", "received", "accepted", "duplicates", "quarantined", "shortfall", "sha256")
    list_select_related = ("source",)
    list_filter = ("source",)


@admin.register(Quarantined)
class QuarantinedAdmin(ShownAdmin):
    """Facts that nobody could place; they are placed or dismissed on their own pages."""

    rights = {"view": SourceRight.VIEW}
    list_display = ("received_at", "source", "field", "problem", "status")
    list_select_related = ("source",)
    list_filter = ("status", "field")
