"""Route rules are configured here; routes and decisions are shown as they were frozen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.portal.admin import GovernedAdmin, GovernedForm
from config.portal.errors import DomainError
from governance.approvals import rules
from governance.approvals.models import Decision, Requirement, Route, RouteRule, Stage
from governance.approvals.rights import DecisionRight, RouteRight
from governance.policies.vocabulary import compile_known
from stewardship.roles.models import Role


class RouteRuleForm(GovernedForm):
    """Says where in the stages or the condition something cannot be read."""

    def clean_when(self) -> str:
        text: str = self.cleaned_data["when"]
        if text.strip():
            try:
                compile_known(text)
            except DomainError as error:
                raise ValidationError(f"{error.message} {error.remedy}".strip()) from error
        return text

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if "stages" not in found:
            return found
        found["stages"] = found["stages"] or []
        try:
            stages = rules.read_stages(found["stages"], human=bool(found.get("human")))
        except DomainError as error:
            self.add_error("stages", f"{error.field}: {error.message} {error.remedy}".strip())
            return found
        wanted = {each.role for stage in stages for each in stage.requirements}
        if unknown := wanted - set(Role.objects.filter(slug__in=wanted).values_list("slug", flat=True)):
            self.add_error("stages", _("There is no role %(roles)s.") % {"roles": ", ".join(sorted(unknown))})
        return found

    class Meta:
        model = RouteRule
        fields = ("region", "kind", "name", "when", "priority", "human", "stages", "review_days", "valid_days", "active")
        widgets = {"when": forms.Textarea(attrs={"rows": 2})}
        help_texts = {
            "stages": _(
                'In series; the requirements of a stage are asked at once. Example: [{"name": "Review", "requirements": '
                '[{"role": "…", "scope": "model", "quorum": 1, "within_minutes": 960}]}]. Scope: model, region or root. '
                'Nobody agrees in two stages, unless the later one says "same_people": true.'
            )
        }


@admin.register(RouteRule)
class RouteRuleAdmin(GovernedAdmin):
    """Who must agree to which changes, per region."""

    form = RouteRuleForm
    rights = {"view": RouteRight.VIEW, "change": RouteRight.CONFIGURE}
    list_display = ("name", "kind", "region", "priority", "human", "active")
    list_filter = ("kind", "active")
    search_fields = ("name",)
    list_select_related = ("region",)


class ReadOnly(GovernedAdmin):
    """Shown, never edited: it moves by the verbs of the pages."""

    abstract = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]


@admin.register(Route)
class RouteAdmin(ReadOnly):
    """Frozen routes."""

    rights = {"view": RouteRight.VIEW}
    list_display = ("__str__", "status", "human", "started_at")
    list_filter = ("status", "human")
    list_select_related = ("change",)


@admin.register(Stage)
class StageAdmin(ReadOnly):
    """Stages of routes."""

    rights = {"view": RouteRight.VIEW}
    list_display = ("name", "route", "order", "status")
    list_select_related = ("route__change",)


@admin.register(Requirement)
class RequirementAdmin(ReadOnly):
    """Who is asked, and by when."""

    rights = {"view": RouteRight.VIEW}
    list_display = ("role", "stage", "quorum", "due_at", "met_at", "escalated_at")
    list_select_related = ("role", "stage")


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    """What was decided, and by whom."""

    rights = {"view": DecisionRight.VIEW}
    list_display = ("change", "revision", "person", "outcome", "at")
    list_filter = ("outcome",)
    list_select_related = ("change", "person")
