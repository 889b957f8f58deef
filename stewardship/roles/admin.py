"""Configuration of roles and their rights; assignments go through their verbs, which hold the duties apart."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin, GovernedForm
from config.portal.errors import DomainError
from stewardship.roles.assign import assign
from stewardship.roles.forms import MatrixField
from stewardship.roles.matrix import set_rights
from stewardship.roles.models import DecisionRight, Raci, Role, RoleAssignment, SeparationRule
from stewardship.roles.rights import AssignmentRight, RoleRight

_RIGHTS = {"view": RoleRight.VIEW, "change": RoleRight.CONFIGURE}


class RoleForm(GovernedForm):
    """A role with its row of the matrix."""

    matrix = MatrixField(label=gettext_lazy("Rights"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["matrix"] = dict(self.instance.decision_rights.values_list("right", "raci"))


@admin.register(Role)
class RoleAdmin(GovernedAdmin):
    """Roles with what they may do; saving gives and takes the rights of everybody who holds them."""

    rights = _RIGHTS
    form = RoleForm
    fields = ("slug", "name", "description", "combine", "second_line", "accountable", "delegable", "matrix")
    list_display = ("name", "slug", "combine", "second_line", "accountable", "delegable")
    search_fields = ("name", "slug")

    @admin.display(description=gettext_lazy("Rights"))
    def matrix(self, role: Role) -> str:
        """For those who may only look."""
        held = ((Raci(row.raci).label, row.right) for row in role.decision_rights.order_by("raci", "right"))
        return format_html_join(mark_safe("<br>"), "{}: {}", ((right, label) for label, right in held)) or "–"

    def rows_with(self, request: HttpRequest, obj: Any) -> list[tuple[type[Model], str]]:
        """The rights are edited together with their role."""
        return [(DecisionRight, "role_id")]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        set_rights(obj, form.cleaned_data["matrix"], actor=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]  # signed in


@admin.register(SeparationRule)
class SeparationRuleAdmin(GovernedAdmin):
    """Which roles must be two people."""

    rights = {**_RIGHTS, "delete": RoleRight.CONFIGURE}
    list_display = ("first", "second", "rationale")
    list_select_related = ("first", "second")


@admin.action(description=gettext_lazy("End the chosen assignments now"))
def end(modeladmin: Any, request: HttpRequest, rows: QuerySet[RoleAssignment]) -> None:
    """The verb asks for each one."""
    for row in rows:
        try:
            row.end(actor=request.user)  # type: ignore[arg-type]
        except DomainError as error:
            messages.error(request, f"{row}: {error.message}")
        else:
            messages.success(request, str(row))


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(GovernedAdmin):
    """Who holds what. Made and ended, never edited: an edited assignment would rewrite who was answerable."""

    rights = {"view": AssignmentRight.VIEW, "add": AssignmentRight.ASSIGN, "add_second_line": AssignmentRight.ASSIGN_SECOND_LINE}
    fields = ("role", "user", "team", "region", "family", "model", "valid_from", "valid_until")
    list_display = ("role", "user", "team", "region", "family", "model", "valid_from", "valid_until")
    list_select_related = ("role", "user", "team", "region", "family", "model")
    list_filter = ("role",)
    actions = (end,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) or self._may(request, "add_second_line", None)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        fields = ("role", "user", "team", "region", "family", "model", "valid_from", "valid_until")
        given = {field: form.cleaned_data[field] for field in fields}
        obj.pk = assign(actor=request.user, rationale=form.cleaned_data["reason"], **given).pk  # type: ignore[arg-type]
