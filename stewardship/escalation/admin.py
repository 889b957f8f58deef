"""Paths are configured here; runs are read here and moved by their own verbs only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from config.portal.admin import GovernedAdmin, GovernedForm
from config.portal.inlines import GovernedCards, GovernedInline
from stewardship.escalation import subjects
from stewardship.escalation.models import Path, Run, RunEvent, Step
from stewardship.escalation.rights import PathRight, RunRight


class PathForm(GovernedForm):
    """What a path is about is chosen, never typed."""

    subject_kind = forms.ChoiceField(label=capfirst(_("called about")))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "subject_kind" in self.fields:
            self.fields["subject_kind"].choices = subjects.choices()  # type: ignore[attr-defined]


class StepInline(GovernedCards):
    """The calls, in order. Runs under way keep the steps they began with."""

    model = Step
    show_change_link = False
    ordering = ("order",)

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self.has_change_permission(request, obj)


@admin.register(Path)
class PathAdmin(GovernedAdmin):
    """Who is called, in which order, and what happens at the end."""

    rights = {"view": PathRight.VIEW, "change": PathRight.CONFIGURE}
    form = PathForm
    list_display = ("name", "subject_kind", "level", "region")
    list_filter = ("subject_kind",)
    list_select_related = ("region",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (StepInline,)


class EventInline(GovernedInline):
    """What happened; never changed."""

    model = RunEvent
    fields = readonly_fields = ("at", "kind", "generation", "step", "loop", "role", "channel", "reason", "next_due_at")
    show_change_link = False

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any | None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(GovernedAdmin):
    """Read only; acknowledge, call on and stop on the run's own page."""

    rights = {"view": RunRight.VIEW}
    list_display = ("label", "status", "level", "region", "started_at")
    list_filter = ("status",)
    list_select_related = ("region",)
    search_fields = ("label",)
    exclude = ("frozen",)
    inlines = (EventInline,)
