"""Configuration of people, teams, absences, delegations; tokens are shown and can be revoked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin, GovernedForm, GovernedInline
from config.portal.errors import DomainError
from stewardship.people.models import Absence, Delegation, Membership, Team, User
from stewardship.people.rights import PersonRight, TokenRight
from stewardship.people.tokens import AccessToken

_RIGHTS = {"view": PersonRight.VIEW, "change": PersonRight.MANAGE}


class PersonForm(GovernedForm):
    """A person; the password is set by themselves, by single sign-on, or once here for a new account."""

    first_password = forms.CharField(
        label=gettext_lazy("First password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Leave empty for single sign-on, or to keep the one there is."),
    )


@admin.register(User)
class UserAdmin(GovernedAdmin):
    """People are deactivated, never deleted."""

    rights = _RIGHTS
    form = PersonForm
    fields = ("username", "full_name", "email", "home_region", "time_zone", "language", "is_active", "first_password")
    list_display = ("full_name", "username", "email", "home_region", "is_active")
    list_filter = ("is_active",)
    search_fields = ("full_name", "username", "email")
    list_select_related = ("home_region",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(is_system=False)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        password = form.cleaned_data.get("first_password")
        if password:
            obj.set_password(password)
        elif not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


class MembershipInline(GovernedInline):
    """Who is in the team."""

    model = Membership
    fields = ("user", "starts", "ends")


@admin.register(Team)
class TeamAdmin(GovernedAdmin):
    """Teams and their members."""

    rights = _RIGHTS
    list_display = ("name", "slug", "region")
    search_fields = ("name", "slug")
    list_select_related = ("region",)
    inlines = (MembershipInline,)


@admin.register(Membership)
class MembershipAdmin(GovernedAdmin):
    """Memberships, over time."""

    rights = _RIGHTS
    list_display = ("user", "team", "starts", "ends")
    list_select_related = ("user", "team")


@admin.register(Absence)
class AbsenceAdmin(GovernedAdmin):
    """Who is away."""

    rights = _RIGHTS
    list_display = ("user", "starts", "ends")
    list_select_related = ("user",)


@admin.register(Delegation)
class DelegationAdmin(GovernedAdmin):
    """Who stands in for whom."""

    rights = _RIGHTS
    list_display = ("delegator", "delegate", "starts", "ends")
    list_select_related = ("delegator", "delegate")


@admin.action(description=gettext_lazy("Revoke the chosen tokens"))
def revoke(modeladmin: Any, request: HttpRequest, rows: QuerySet[AccessToken]) -> None:
    """End them now; the verb asks for each one."""
    for token in rows:
        try:
            token.revoke(actor=request.user)  # type: ignore[arg-type]
        except DomainError as error:
            messages.error(request, f"{token}: {error.message}")
        else:
            messages.success(request, _("%(token)s can do nothing any more.") % {"token": token})


@admin.register(AccessToken)
class AccessTokenAdmin(GovernedAdmin):
    """Tokens are issued on the profile page, where their plain text is shown once."""

    rights = {"view": PersonRight.VIEW, "revoke": TokenRight.ISSUE}
    fields = ("name", "user", "scopes", "expires_at", "revoked_at")
    list_display = ("name", "user", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name",)
    actions = (revoke,)
