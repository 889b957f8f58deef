"""Alerts, shown; they move by the verbs of their page."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from monitoring.alerts.models import Alert
from monitoring.alerts.rights import AlertRight


@admin.register(Alert)
class AlertAdmin(GovernedAdmin):
    """Every episode, with its frozen context."""

    rights = {"view": AlertRight.VIEW}
    list_display = ("title", "level", "status", "model", "region", "opened_at", "resolution")
    list_select_related = ("model", "region")
    list_filter = ("level", "status", "kind")
    search_fields = ("title",)
