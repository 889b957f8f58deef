"""Configuration of questionnaires; assessments are only read."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin
from governance.policies.admin import each
from governance.risk.models import Assessment, Questionnaire
from governance.risk.rights import AssessmentRight, QuestionnaireRight


@admin.register(Questionnaire)
class QuestionnaireAdmin(GovernedAdmin):
    """Drafts are edited; what is in use is replaced by its next version."""

    rights = {"view": AssessmentRight.VIEW, "change": QuestionnaireRight.CONFIGURE}
    list_display = ("name", "slug", "version", "region", "status")
    list_select_related = ("region",)
    list_filter = ("status",)
    search_fields = ("name", "slug")
    fields = ("slug", "name", "region", "questions", "bands", "floors", "version", "status")
    actions = ("publish", "retire", "draft_next")

    def get_readonly_fields(self, request: HttpRequest, obj: Questionnaire | None = None) -> tuple[str, ...]:
        """Version and status move by verbs only."""
        return ("version", "status") if obj is None or obj.status == "draft" else self.fields

    @admin.action(description=gettext_lazy("Publish the chosen drafts"), permissions=["change"])
    def publish(self, request: HttpRequest, rows: QuerySet[Questionnaire]) -> None:
        each(self, request, rows, lambda one: one.publish(actor=request.user, reason=_("Published in the configuration")))

    @admin.action(description=gettext_lazy("Retire"), permissions=["change"])
    def retire(self, request: HttpRequest, rows: QuerySet[Questionnaire]) -> None:
        each(self, request, rows, lambda one: one.retire(actor=request.user, reason=_("Retired in the configuration")))

    @admin.action(description=gettext_lazy("Draft the next version"), permissions=["change"])
    def draft_next(self, request: HttpRequest, rows: QuerySet[Questionnaire]) -> None:
        each(self, request, rows, lambda one: one.next_version(actor=request.user))


@admin.register(Assessment)
class AssessmentAdmin(GovernedAdmin):
    """What was assessed, only read."""

    rights = {"view": AssessmentRight.VIEW}
    list_display = ("at", "model", "tier", "computed_tier", "score", "questionnaire")
    list_select_related = ("model", "questionnaire")
    list_filter = ("tier",)
    search_fields = ("model__name", "model__slug")
