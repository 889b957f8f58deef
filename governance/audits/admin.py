"""Reports, to look at; they are asked for and taken away on their own pages."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from governance.audits.models import Report
from governance.audits.rights import ReportRight


@admin.register(Report)
class ReportAdmin(GovernedAdmin):
    rights = {"view": ReportRight.VIEW}
    list_display = ("model", "as_of", "size", "status", "rows", "requested_by")
    list_select_related = ("model", "requested_by")
    list_filter = ("status",)
    search_fields = ("model__name", "model__slug")
    raw_id_fields = ("job", "blob")
