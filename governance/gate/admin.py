"""What the gate says and said, for looking at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.portal.admin import GovernedAdmin
from governance.gate.models import Permit, Standing, Verdict
from governance.gate.rights import StandingRight, VerdictRight

PLACE = ("version__model", "environment", "region")


class ReadOnly(GovernedAdmin):
    """Shown, never edited."""

    abstract = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]


@admin.register(Standing)
class StandingAdmin(ReadOnly):
    """Answers kept ready."""

    rights = {"view": StandingRight.VIEW}
    list_display = ("version", "environment", "region", "verdict", "valid_until")
    list_filter = ("verdict",)
    list_select_related = PLACE


@admin.register(Verdict)
class VerdictAdmin(ReadOnly):
    """Answers given."""

    rights = {"view": VerdictRight.VIEW}
    list_display = ("version", "environment", "region", "verdict", "at")
    list_filter = ("verdict",)
    list_select_related = PLACE


@admin.register(Permit)
class PermitAdmin(ReadOnly):
    """Permits issued."""

    rights = {"view": VerdictRight.VIEW}
    list_display = ("version", "environment", "region", "change", "expires_at")
    list_select_related = (*PLACE, "change")
