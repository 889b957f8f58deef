"""Configuration of frameworks, clauses, and where they apply."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from config.portal.inlines import GovernedCards
from stewardship.frameworks.models import Applicability, Clause, Framework
from stewardship.frameworks.rights import FrameworkRight

_RIGHTS = {"view": FrameworkRight.VIEW, "change": FrameworkRight.CONFIGURE}


class ClauseInline(GovernedCards):
    """The framework's requirements."""

    model = Clause
    fields = ("ref", "title", "summary")


@admin.register(Framework)
class FrameworkAdmin(GovernedAdmin):
    """Laws, standards, own policies."""

    rights = _RIGHTS
    list_display = ("name", "slug", "jurisdiction", "edition")
    search_fields = ("name", "slug")
    inlines = (ClauseInline,)


@admin.register(Clause)
class ClauseAdmin(GovernedAdmin):
    """Every requirement."""

    rights = _RIGHTS
    list_display = ("ref", "title", "framework")
    list_select_related = ("framework",)
    search_fields = ("ref", "title")


@admin.register(Applicability)
class ApplicabilityAdmin(GovernedAdmin):
    """Where and from when."""

    rights = _RIGHTS
    list_display = ("framework", "region", "valid_from", "valid_until")
    list_select_related = ("framework", "region")
