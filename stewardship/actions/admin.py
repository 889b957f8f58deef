"""Actions, read only: they move on their own pages."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from stewardship.actions.models import Action
from stewardship.actions.rights import ActionRight


@admin.register(Action)
class ActionAdmin(GovernedAdmin):
    """What is to be done."""

    rights = {"view": ActionRight.VIEW}
    list_display = ("title", "status", "owner", "due_at", "region")
    list_filter = ("status",)
    list_select_related = ("owner", "region")
    search_fields = ("title",)
