"""Configuration of people, teams, absences, delegations through their verbs; tokens are shown and can be revoked."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin, GovernedForm
from config.portal.errors import DomainError, Invalid
from config.portal.inlines import GovernedInline
from config.portal.permission import permits
from stewardship.people import standing
from stewardship.people.models import Absence, Delegation, Membership, Team, User
from stewardship.people.rights import PersonRight, TokenRight
from stewardship.people.tokens import AccessToken

_RIGHTS = {"view": PersonRight.VIEW, "change": PersonRight.MANAGE}


class PersonForm(GovernedForm):
    """A person; a new account may begin with a password, afterwards only the person sets one."""

    first_password = forms.CharField(
        label=gettext_lazy("First password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Or leave it empty, and send them a link to set one: an action of the list of people."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("first_password"):
            try:
                # The instance gets its fields after this, and a password must not resemble them.
                named = {name: cleaned.get(name) or "" for name in ("username", "full_name", "email")}
                validate_password(password, User(**named))
            except forms.ValidationError as error:
                self.add_error("first_password", error)
        return cleaned


@admin.action(description=gettext_lazy("Send a link to set a new password"))
def send_link(modeladmin: Any, request: HttpRequest, rows: QuerySet[User]) -> None:
    """To the address that is known, so that whoever sends it learns nothing."""
    for user in rows:
        form = ResetPasswordForm({"email": user.email})
        if not permits(request.user, PersonRight.MANAGE, user):
            messages.error(request, _("You may not manage %(name)s.") % {"name": user})
        elif not (user.email and user.is_active and form.is_valid()):
            messages.error(request, _("%(name)s has no address, or cannot sign in.") % {"name": user})
        else:
            form.save(request)
            messages.success(request, _("A link is on its way to %(name)s.") % {"name": user})


@admin.register(User)
class UserAdmin(GovernedAdmin):
    """People are deactivated, never deleted."""

    rights = _RIGHTS
    form = PersonForm
    fields = ("username", "full_name", "email", "home_region", "time_zone", "language", "is_active", "first_password")
    list_display = ("full_name", "username", "email", "home_region", "is_active")
    list_filter = ("is_active",)
    search_fields = ("full_name", "username", "email")
    numerous = True
    list_select_related = ("home_region",)
    actions = (send_link,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(is_system=False)

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        # SECURITY: a password given to an account that holds something already would be a way into it.
        found = super().get_fieldsets(request, obj)
        if obj is not None:
            for _name, options in found:
                options["fields"] = [field for field in options["fields"] if field != "first_password"]
        return found

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            actor: Any = request.user
            reason = form.cleaned_data["reason"]
            if "email" in form.changed_data:
                standing.change_address(User.objects.get(pk=obj.pk), obj.email, actor=actor, reason=reason)
            if "is_active" in form.changed_data:
                verb = standing.reactivate if obj.is_active else standing.deactivate
                verb(User.objects.get(pk=obj.pk), actor=actor, reason=reason)
        elif password := form.cleaned_data.get("first_password"):
            obj.set_password(password)
        else:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


class MembershipInline(GovernedInline):
    """Who is in the team: added here, ended on their own page."""

    model = Membership
    fields = ("user", "starts", "ends")

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False


@admin.register(Team)
class TeamAdmin(GovernedAdmin):
    """Teams and their members."""

    rights = _RIGHTS
    list_display = ("name", "slug", "region")
    search_fields = ("name", "slug")
    list_select_related = ("region",)
    inlines = (MembershipInline,)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        reason = form.cleaned_data["reason"]
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for row in formset.save(commit=False):
            standing.join(form.instance, row.user, actor=request.user, starts=row.starts, ends=row.ends, reason=reason)  # type: ignore[arg-type]


class DatedAdmin(GovernedAdmin):
    """Made and ended by verbs. Only the end is edited: another person or another beginning would be another row."""

    abstract = True
    rights = _RIGHTS
    whom: ClassVar[tuple[str, ...]] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return (*self.whom, "starts") if obj is not None else ()

    def begin(self, actor: Any, given: dict[str, Any], reason: str) -> Any:
        """Call the verb that makes the row."""
        raise NotImplementedError

    def finish(self, row: Any, actor: Any, at: Any, reason: str) -> None:
        """Call the verb that ends the row."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        reason = form.cleaned_data["reason"]
        if not change:
            given = {name: form.cleaned_data[name] for name in (*self.whom, "starts", "ends")}
            obj.pk = self.begin(request.user, given, reason).pk
        elif "ends" in form.changed_data:
            at = form.cleaned_data["ends"]
            if at is None:
                raise Invalid(
                    _("An end that is set is not taken away."), field="ends", remedy=_("Record another one for the time after it.")
                )
            self.finish(type(obj).objects.get(pk=obj.pk), request.user, at, reason)


@admin.register(Membership)
class MembershipAdmin(DatedAdmin):
    """Memberships, over time."""

    whom = ("team", "user")
    fields = ("team", "user", "starts", "ends")
    list_display = ("user", "team", "starts", "ends")
    list_select_related = ("user", "team")

    def begin(self, actor: Any, given: dict[str, Any], reason: str) -> Any:
        return standing.join(**given, actor=actor, reason=reason)

    def finish(self, row: Any, actor: Any, at: Any, reason: str) -> None:
        standing.leave(row, actor=actor, at=at, reason=reason)


@admin.register(Absence)
class AbsenceAdmin(DatedAdmin):
    """Who is away."""

    whom = ("user",)
    fields = ("user", "starts", "ends")
    list_display = ("user", "starts", "ends")
    list_select_related = ("user",)

    def begin(self, actor: Any, given: dict[str, Any], reason: str) -> Any:
        return standing.be_absent(**given, actor=actor, reason=reason)

    def finish(self, row: Any, actor: Any, at: Any, reason: str) -> None:
        standing.come_back(row, actor=actor, at=at, reason=reason)


class DelegationForm(GovernedForm):
    """Whoever delegates says until when."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "ends" in self.fields:
            self.fields["ends"].required = True


@admin.register(Delegation)
class DelegationAdmin(DatedAdmin):
    """Who stands in for whom."""

    whom = ("delegator", "delegate")
    form = DelegationForm
    fields = ("delegator", "delegate", "starts", "ends")
    list_display = ("delegator", "delegate", "starts", "ends")
    list_select_related = ("delegator", "delegate")

    def begin(self, actor: Any, given: dict[str, Any], reason: str) -> Any:
        return standing.delegate(given.pop("delegator"), given.pop("delegate"), **given, actor=actor, reason=reason)

    def finish(self, row: Any, actor: Any, at: Any, reason: str) -> None:
        standing.take_back(row, actor=actor, at=at, reason=reason)


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
