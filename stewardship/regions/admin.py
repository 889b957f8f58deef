"""Configuration of regions, calendars, legal entities, bounds; settings are shown, and set by their verb."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.portal.admin import GovernedAdmin
from stewardship.regions.models import Bound, LegalEntity, Region, Setting, WorkingCalendar
from stewardship.regions.place import PLACE, check_place, places
from stewardship.regions.rights import RegionRight
from stewardship.regions.settings import set_value

_RIGHTS = {"view": RegionRight.VIEW, "change": RegionRight.CONFIGURE}


@admin.register(Region)
class RegionAdmin(GovernedAdmin):
    """The tree; a new region is made by whoever configures the one above it."""

    rights = _RIGHTS
    list_display = ("name", "code", "parent", "language", "practice")
    search_fields = ("name", "code")
    list_select_related = ("parent",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return PLACE if obj is not None and not places(request.user, obj) else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            check_place(obj, actor=request.user)
        super().save_model(request, obj, form, change)


@admin.register(LegalEntity)
class LegalEntityAdmin(GovernedAdmin):
    """Companies and branches."""

    rights = _RIGHTS
    list_display = ("name", "region")
    search_fields = ("name",)
    list_select_related = ("region",)


@admin.register(WorkingCalendar)
class WorkingCalendarAdmin(GovernedAdmin):
    """When people work; what cannot be computed with is refused here."""

    rights = _RIGHTS
    list_display = ("region", "zone", "country", "subdivision")
    list_select_related = ("region",)


@admin.register(Bound)
class BoundAdmin(GovernedAdmin):
    """What regions may set, and how far; changed from the root."""

    rights = _RIGHTS
    list_display = ("parameter", "combine", "low", "high")
    search_fields = ("parameter",)


class SettingForm(forms.ModelForm):
    """A value for a region; an empty value means "as the region above". Not a GovernedForm: a Fact has its own `reason`."""

    parameter = forms.ChoiceField(label=_("Parameter"))
    why = forms.CharField(label=_("Reason"), max_length=500, help_text=_("It is kept in the journal."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields.get("parameter")
        if isinstance(chosen, forms.ChoiceField):
            chosen.choices = [(bound.parameter, bound.parameter) for bound in Bound.objects.all()]


@admin.register(Setting)
class SettingAdmin(GovernedAdmin):
    """Values that regions set. A new one replaces the one before; nothing is overwritten."""

    rights = {"view": RegionRight.VIEW, "add": RegionRight.CONFIGURE}
    form = SettingForm  # type: ignore[assignment]  # a Fact has its own `reason`
    fields = ("region", "parameter", "value", "valid_from", "valid_until")
    list_display = ("parameter", "region", "value", "valid_from", "valid_until")
    list_filter = ("parameter",)
    list_select_related = ("region",)

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        return [(None, {"fields": self.fields if obj is not None else (*self.fields, "why")})]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in self.fields}
        obj.pk = set_value(**given, actor=request.user, reason=form.cleaned_data["why"]).pk
