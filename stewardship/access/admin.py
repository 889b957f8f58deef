"""Who holds which right on what, to look at. Grants follow from role assignments, so each leads to the one it comes from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin
from config.portal.errors import Missing
from stewardship.access.models import Grant, RegionGrant
from stewardship.inventory.models import FamilyGrant, ModelGrant
from stewardship.roles.models import RoleAssignment
from stewardship.roles.rights import AssignmentRight

DERIVED = gettext_lazy(
    "A grant is derived from a role assignment and made anew with it, so nobody writes one here. "
    "To give or take a right, make or end the assignment; its history is the history of the grant."
)


class RightFilter(admin.SimpleListFilter):
    """By right: those that the grants in sight give."""

    title = gettext_lazy("right")
    parameter_name = "right"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request).order_by("permission__codename")
        return [(right, right) for right in rows.values_list("permission__codename", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(permission__codename=self.value()) if self.value() else queryset


@admin.register(RegionGrant, FamilyGrant, ModelGrant)
class GrantAdmin(GovernedAdmin):
    """One right of one person on one scope, from–until: whoever sees the assignment sees what it amounts to."""

    rights = {"view": AssignmentRight.VIEW}
    change_list_template = "stewardship/access/grant_list.html"
    list_display = ("user", "right", "content_object", "valid_from", "valid_until", "comes_from")
    list_select_related = ("user", "permission", "content_object")
    list_filter = (RightFilter,)
    search_fields = ("user__full_name", "user__username", "permission__codename")
    ordering = ("user__full_name", "user__username", "permission__codename", "pk")
    readonly_fields = list_display
    fieldsets = ((None, {"fields": list_display, "description": DERIVED}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the role of the assignment that each comes from, and whom that was given to."""
        behind = RoleAssignment.objects.filter(pk=OuterRef("source"))
        name = Coalesce("team__name", NullIf("user__full_name", Value("")), F("user__username"), output_field=CharField())
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(
            role_name=Subquery(behind.values("role__name")[:1]),
            holder_id=Subquery(behind.values("user")[:1], output_field=UUIDField()),
            holder_name=Subquery(behind.annotate(name=name).values("name")[:1]),
        )
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the sentence that the page of one grant has too."""
        return super().changelist_view(request, {"derived": DERIVED, **(extra_context or {})})

    @admin.display(description=gettext_lazy("right"), ordering="permission__codename")
    def right(self, grant: Grant) -> str:
        """By its name, as roles list it."""
        return str(grant.permission.codename)

    @admin.display(description=gettext_lazy("comes from"), ordering="source")
    def comes_from(self, grant: Any) -> str:
        """The assignment; where it was given to a team or to somebody who is stood in for, that too."""
        if grant.role_name is None:
            return _("no assignment: somebody wrote it past the portal")
        text = grant.role_name
        if grant.holder_id != grant.user_id:
            text = _("%(role)s, given to %(name)s") % {"role": grant.role_name, "name": grant.holder_name}
        return format_html('<a href="{}">{}</a>', reverse("admin:stewardship_roleassignment_change", args=[grant.source]), text)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """That of the assignment: a derived row has none of its own."""
        key = unquote(object_id)
        found = self.get_queryset(request).filter(pk=key) if key.isdecimal() else self.model.objects.none()
        source: UUID | None = found.values_list("source", flat=True).first()
        if source is None:
            raise Missing(_("There is nothing here, or nothing that you may see."))
        return HttpResponseRedirect(reverse("history", args=[RoleAssignment._meta.label_lower, source]))
