"""Changes are shown here and move by their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.portal.admin import GovernedAdmin
from governance.changes.models import ChangeRequest, ChangeRevision, RollbackPlan
from governance.changes.rights import ChangeRight


class ReadOnly(GovernedAdmin):
    """Shown, never edited."""

    abstract = True
    rights = {"view": ChangeRight.VIEW}

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnly):
    """Change requests."""

    list_display = ("__str__", "kind", "status", "model", "region", "owner")
    list_filter = ("status", "kind")
    search_fields = ("title", "model__name")
    list_select_related = ("model", "region", "owner")


@admin.register(RollbackPlan)
class RollbackPlanAdmin(ReadOnly):
    """Rollback plans."""

    list_display = ("change", "target_version", "trigger")
    list_select_related = ("change", "target_version")


@admin.register(ChangeRevision)
class ChangeRevisionAdmin(ReadOnly):
    """What each revision said."""

    list_display = ("change", "number", "at", "digest")
    list_select_related = ("change",)
