"""Configuration of roles and their rights; assignments go through their verbs, which hold the duties apart."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin, GovernedInline
from config.portal.errors import DomainError
from stewardship.access.rights import all_rights
from stewardship.roles.assign import assign
from stewardship.roles.models import DecisionRight, Role, RoleAssignment, SeparationRule
from stewardship.roles.rights import AssignmentRight, RoleRight

_RIGHTS = {"view": RoleRight.VIEW, "change": RoleRight.CONFIGURE}


class DecisionRightForm(forms.ModelForm):
    """A right is chosen, never typed."""

    right = forms.ChoiceField(label=gettext_lazy("Right"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "right" in self.fields:
            # A row keeps its right: all of them in each of forty rows would be most of the page. Another right is another row.
            offered = all_rights() if self.instance.right == "" else [self.instance.right]
            self.fields["right"].choices = [(right, right) for right in offered]  # type: ignore[attr-defined]

    class Meta:
        model = DecisionRight
        fields = ("right", "raci")


class DecisionRightInline(GovernedInline):
    """The role's row of the matrix."""

    model = DecisionRight
    form = DecisionRightForm

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self.has_change_permission(request, obj)


@admin.register(Role)
class RoleAdmin(GovernedAdmin):
    """Roles with what they may do; saving gives and takes the rights of everybody who holds them."""

    rights = _RIGHTS
    list_display = ("name", "slug", "combine", "second_line", "accountable", "delegable")
    search_fields = ("name", "slug")
    inlines = (DecisionRightInline,)


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
