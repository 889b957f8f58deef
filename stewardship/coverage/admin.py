"""Gaps, read only: they close on their own page, or when they are filled."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from stewardship.coverage.models import Gap
from stewardship.coverage.rights import GapRight


@admin.register(Gap)
class GapAdmin(GovernedAdmin):
    """Where nobody answers."""

    rights = {"view": GapRight.VIEW}
    list_display = ("label", "kind", "status", "region", "opened_at")
    list_filter = ("status", "kind")
    list_select_related = ("region",)
    search_fields = ("label",)
