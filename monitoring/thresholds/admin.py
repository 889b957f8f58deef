"""Rules, what regions, families and models set for themselves inside them, and where each series stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.admin import GovernedAdmin
from config.portal.errors import DomainError
from config.portal.inlines import GovernedCards
from monitoring.thresholds.forms import OverrideForm, OverrideRow, RuleForm
from monitoring.thresholds.models import Override, Rule, Track
from monitoring.thresholds.override import check, end, override
from monitoring.thresholds.rights import RuleRight
from monitoring.thresholds.wording import rows
from stewardship.access import require
from stewardship.access.reach import tree_of
from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.regions.models import Region

SCOPES: Mapping[str, type[Region] | type[ModelFamily] | type[RegisteredModel]] = {
    "region": Region,
    "family": ModelFamily,
    "model": RegisteredModel,
}


class OverrideInline(GovernedCards):
    """What nodes below say about one parameter."""

    model = Override
    form = OverrideRow
    fields = ("region", "family", "model", "parameter", "value", "rationale", "valid_from", "valid_until")


@admin.register(Rule)
class RuleAdmin(GovernedAdmin):
    """What is still allowed, per level."""

    rights = {"view": RuleRight.VIEW, "change": RuleRight.CONFIGURE}
    form = RuleForm
    list_display = ("name", "metric", "region", "direction", "for_windows", "min_n", "valid_from", "valid_until")
    list_select_related = ("metric", "region")
    search_fields = ("name", "slug", "metric__slug")
    inlines = (OverrideInline,)
    readonly_fields = ("version",)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Each override is checked against what its node inherits, and asked for at its own scope."""
        for one in formset.save(commit=False):
            check(one)
            require(request.user, RuleRight.CONFIGURE, one.scope)
            one.save()
        formset.save_m2m()


@admin.register(Override)
class OverrideAdmin(GovernedAdmin):
    """What a region, family or model sets for itself of a rule that binds it: set and ended by verbs, never overwritten."""

    rights = {"view": RuleRight.VIEW, "add": RuleRight.CONFIGURE, "end": RuleRight.CONFIGURE}
    form = OverrideForm
    add_form_template = "monitoring/thresholds/override_add.html"
    fields = ("rule", *SCOPES, "parameter", "value", "valid_from", "valid_until")
    list_display = ("rule", "scope", "parameter", "value", "valid_from", "valid_until")
    list_select_related = ("rule", "region", "family", "model")
    list_filter = ("parameter",)
    search_fields = ("rule__name", "region__name", "family__name", "model__name")
    actions = ("end",)

    def get_fields(self, request: HttpRequest, obj: Override | None = None) -> Any:
        """The reason that is typed becomes the rationale that is shown."""
        return self.fields if obj is None else (*self.fields, "rationale")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Where the person configures, and the rules that bind there; those stand above them and are in no list of theirs."""
        scope = SCOPES.get(db_field.name)
        if scope is not None:
            kwargs["queryset"] = scope.objects.allowed(request.user, RuleRight.CONFIGURE)
        elif db_field.name == "rule":
            kwargs["queryset"] = Rule.objects.in_force(timezone.now()).binding(_regions(request.user), tree_of(request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Above the form stands what the region may set."""
        mine = list(Region.objects.allowed(request.user, RuleRight.CONFIGURE).order_by("name"))
        region = _chosen(mine, request.POST.get("region") or request.GET.get("region") or "")
        shown = {"room": rows(region, timezone.now()) if region else [], "room_region": region, "room_regions": mine}
        return super().add_view(request, form_url, {**shown, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Override, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in self.fields}
        obj.pk = override(**said, actor=request.user, reason=form.cleaned_data["reason"]).pk  # type: ignore[arg-type]  # signed in

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Asked by the action below."""
        return self._may(request, "end", None)

    @admin.action(description=gettext_lazy("End now: inherit again"), permissions=["end"])
    def end(self, request: HttpRequest, rows: QuerySet[Override]) -> None:
        for one in rows:
            try:
                end(one, actor=request.user, reason=_("Ended in the configuration"))  # type: ignore[arg-type]  # signed in
                self.message_user(request, _("%s: done.") % one)
            except DomainError as error:
                self.message_user(request, f"{one}: {error.message} {error.remedy}".strip(), messages.ERROR)


def _regions(user: Any) -> set[UUID]:
    """The regions of everything for which this person may set something; one query."""
    regions = Region.objects.allowed(user, RuleRight.CONFIGURE).order_by().values_list("pk", flat=True)
    families, models = (
        scope.objects.allowed(user, RuleRight.CONFIGURE).order_by().values_list("region_id", flat=True)
        for scope in (ModelFamily, RegisteredModel)
    )
    return set(regions.union(families, models))


def _chosen(mine: list[Region], wanted: str) -> Region | None:
    """The region that was asked for; else the first that stands above the others."""
    known = {region.pk for region in mine}
    tops = [region for region in mine if region.parent_id not in known]
    return next((region for region in mine if str(region.pk) == wanted), next(iter(tops), None))


@admin.register(Track)
class TrackAdmin(GovernedAdmin):
    """Where each series stands under each rule that judged it."""

    rights = {"view": RuleRight.VIEW}
    list_display = ("series", "series__model", "series__region", "rule", "level", "reading", "last_end", "due_by", "stale_since")
    list_select_related = ("series__model", "series__region", "series__metric", "rule")
    list_filter = ("level", "reading")
    search_fields = ("series__model__name", "rule__name")
