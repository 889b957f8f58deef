"""Rules with the overrides of regions, families and models beside them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.portal.admin import GovernedAdmin, GovernedInline
from monitoring.thresholds.models import Override, Rule
from monitoring.thresholds.override import check
from monitoring.thresholds.rights import RuleRight
from stewardship.access import require


class OverrideInline(GovernedInline):
    """What nodes below say about one parameter."""

    model = Override
    fields = ("region", "family", "model", "parameter", "value", "rationale", "valid_from", "valid_until")


@admin.register(Rule)
class RuleAdmin(GovernedAdmin):
    """What is still allowed, per level."""

    rights = {"view": RuleRight.VIEW, "change": RuleRight.CONFIGURE}
    list_display = ("name", "metric", "region", "direction", "for_windows", "min_n", "valid_from", "valid_until")
    list_select_related = ("metric", "region")
    search_fields = ("name", "slug", "metric__slug")
    inlines = (OverrideInline,)
    readonly_fields = ("version",)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Each override is checked against what its node inherits, and asked for at its own scope."""
        for override in formset.save(commit=False):
            check(override)
            require(request.user, RuleRight.CONFIGURE, override.scope)
            override.save()
        formset.save_m2m()
