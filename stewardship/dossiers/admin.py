"""Configuration of dossier templates; dossiers themselves are written on their page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin
from config.portal.errors import DomainError
from stewardship.dossiers.models import Dossier, Revision, Template
from stewardship.dossiers.rights import DossierRight, TemplateRight


@admin.register(Template)
class TemplateAdmin(GovernedAdmin):
    """Drafts are edited; what is in use is replaced by its next version."""

    rights = {"view": DossierRight.VIEW, "change": TemplateRight.CONFIGURE}
    list_display = ("name", "slug", "version", "region", "status", "order")
    list_select_related = ("region",)
    list_filter = ("status",)
    search_fields = ("name", "slug")
    fields = ("slug", "name", "region", "order", "sections", "version", "status")
    actions = ("publish", "retire", "draft_next")

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> tuple[str, ...]:
        """Version and status move by verbs only."""
        return ("version", "status") if obj is None or obj.status == "draft" else self.fields

    @admin.action(description=gettext_lazy("Publish the chosen drafts"), permissions=["change"])
    def publish(self, request: HttpRequest, rows: QuerySet[Template]) -> None:
        self._each(request, rows, lambda one: one.publish(actor=request.user, reason=_("Published in the configuration")))

    @admin.action(description=gettext_lazy("Retire"), permissions=["change"])
    def retire(self, request: HttpRequest, rows: QuerySet[Template]) -> None:
        self._each(request, rows, lambda one: one.retire(actor=request.user, reason=_("Retired in the configuration")))

    @admin.action(description=gettext_lazy("Draft the next version"), permissions=["change"])
    def draft_next(self, request: HttpRequest, rows: QuerySet[Template]) -> None:
        self._each(request, rows, lambda one: one.next_version(actor=request.user))

    def _each(self, request: HttpRequest, rows: QuerySet[Template], verb: Any) -> None:
        for one in rows:
            try:
                verb(one)
                messages.success(request, _("%s: done.") % one)
            except DomainError as error:
                messages.error(request, f"{one}: {error.message} {error.remedy}".strip())


@admin.register(Dossier)
class DossierAdmin(GovernedAdmin):
    """Which dossiers there are; they are written on the model's page."""

    rights = {"view": DossierRight.VIEW}
    list_display = ("model", "slug", "template")
    list_filter = ("slug",)
    list_select_related = ("model", "template")
    search_fields = ("model__name", "slug")


@admin.register(Revision)
class RevisionAdmin(GovernedAdmin):
    """Every state of every dossier, only read."""

    rights = {"view": DossierRight.VIEW}
    list_display = ("dossier", "number", "version", "at", "digest")
    list_select_related = ("dossier__model", "version")
    search_fields = ("dossier__model__name", "dossier__slug")
