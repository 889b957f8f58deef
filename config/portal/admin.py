"""Configuration by Django's admin, under our permissions, with a reason for every save.

@admin.register(Rule)
class RuleAdmin(GovernedAdmin):
    rights = {"view": Right.VIEW, "change": Right.CONFIGURE}
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import DateTimeField, DecimalField, ForeignKey, Model, QuerySet, URLField
from django.forms.models import _get_foreign_key  # as Django's own admin does
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal import staleness
from config.portal.acting import act
from config.portal.errors import DomainError, Forbidden, Missing
from config.portal.pages import attach
from config.portal.permission import holds
from config.portal.readonly import Shown, open_to

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _ModelForm = forms.ModelForm


class NamedSplitDateTime(AdminSplitDateTime):
    """Django's pair of boxes, each with a name that a screen reader says; the field's own name is the group's."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for box, name in zip(self.widgets, (gettext_lazy("Date"), gettext_lazy("Time")), strict=True):
            box.attrs["aria-label"] = name


class PlainDecimal(forms.DecimalField):
    """A number as a person would write it, without the zeros (or the `0E-8`) of its column."""

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) and value.is_finite() else value


WIDGETS: dict[Any, dict[str, Any]] = {
    DecimalField: {"form_class": PlainDecimal},
    DateTimeField: {"form_class": forms.SplitDateTimeField, "widget": NamedSplitDateTime},
    URLField: {"assume_scheme": "https"},
}


class GovernedForm(_ModelForm):
    """Every save says why; the reason enters the history and the journal."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        help_text=gettext_lazy("Why this is done. It is kept in the history and the journal."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    seen = forms.CharField(required=False, widget=forms.HiddenInput())  # what the form was filled from; see `staleness`

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


def visible(db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Only what the person may see can be chosen: a drop-down must not tell what a list hides."""
    related: Any = db_field.remote_field.model
    if "queryset" in kwargs or not getattr(related, "access_paths", None) or not related.view_right:
        return kwargs
    return {**kwargs, "queryset": related._default_manager.allowed(request.user, related.view_right)}


def searched_for(screen: Any) -> list[str]:
    """The columns of a screen that lead to numerous rows."""
    leads = [field for field in screen.opts.fields if field.is_relation and isinstance(field, ForeignKey)]
    return [field.name for field in leads if getattr(screen.admin_site._registry.get(field.remote_field.model), "numerous", False)]


class VisibleRelatedFilter(admin.RelatedFieldListFilter):
    """The choices of a filter by another object: those that the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        chosen = visible(field, request, {}).get("queryset")
        if chosen is None:
            return list(super().field_choices(field, request, model_admin))
        return [(row.pk, str(row)) for row in chosen]


admin.FieldListFilter.register(
    lambda field: bool(field.remote_field and getattr(field.remote_field.model, "access_paths", None)),
    VisibleRelatedFilter,
    take_priority=True,
)


class GovernedAdmin(_ModelAdmin):
    """An admin that asks access and nothing else.

    `rights` names the right to `view`, and those to `change`, `add` (default: change) and `delete` (default: nobody).
    What only a domain verb may alter goes into `readonly_fields`; override `save_model` to call the verb.
    """

    abstract: ClassVar[bool] = True
    rights: ClassVar[Mapping[str, str]] = {}
    form = GovernedForm
    formfield_overrides = WIDGETS
    list_per_page = 25
    numerous: ClassVar[bool] = False  # thousands of rows: other screens search for one of them, a drop-down would hold them all
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # one count over all rows for every choice of every filter
    view_on_site = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("abstract", False):
            return
        cls.abstract = False
        if "view" not in cls.rights:
            raise TypeError(f"{cls.__module__}.{cls.__qualname__} has no rights['view'].")

    # who -------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.allowed(request.user, self.rights["view"])
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def _may(self, request: HttpRequest, verb: str, obj: Any | None) -> bool:
        """Asked once a request: Django asks again for each inline, field and button."""
        known: dict[Any, bool] = request.__dict__.setdefault("_may_already", {})
        key = (self.model, verb, None if obj is None else obj.pk)
        if key not in known:
            known[key] = self._may_now(request, verb, obj)
        return known[key]

    def _may_now(self, request: HttpRequest, verb: str, obj: Any | None) -> bool:
        right = self.rights.get(verb)
        if not right:
            return False
        if obj is None:
            return holds(request.user, right)
        return bool(self.model.objects.allowed(request.user, right).filter(pk=obj.pk).exists())

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self._may(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self._may(request, "change", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add" if "add" in self.rights else "change", None)

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self._may(request, "delete", obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) or self.has_change_permission(request)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """What the person may not see is 404, as on every page; Django would lead to the index."""
        raise Missing(_("There is nothing here, or nothing that you may see."))

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        return searched_for(self)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_foreignkey(db_field, request, **visible(db_field, request, kwargs))
        return field

    # the reason ------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """The declared fieldsets, with the reason at the end."""
        fieldsets: list[tuple[Any, dict[str, Any]]] = [(name, {**options}) for name, options in super().get_fieldsets(request, obj)]
        for _name, options in fieldsets:
            options["fields"] = [field for field in options["fields"] if field not in {"reason", "seen"}]
        if self.has_change_permission(request, obj) if obj else self.has_add_permission(request):
            fieldsets.append((_("Why"), {"fields": ["reason", "seen"] if obj else ["reason"]}))
        return fieldsets

    # two at once -----------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form remembers what it is filled from; after a refusal it says so, with all that was typed."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        now = staleness.seen(obj, self.rows_with(request, obj)) if change and obj is not None else ""
        refusal: DomainError | None = getattr(request, "refused_with", None)

        class Remembering(made):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.initial.setdefault("seen", now)

            def _post_clean(self) -> None:
                super()._post_clean()
                if refusal is not None:
                    attach(self, refusal)

        return Remembering

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Before anything is saved: the row is locked, and a form that was filled from an older state is refused."""
        if change:
            inlines = self.rows_with(request, form.instance)
            staleness.check(form.instance, inlines, form.cleaned_data.get("seen", ""))
        return super().save_form(request, form, change)

    def rows_with(self, request: HttpRequest, obj: Any) -> list[tuple[type[Model], str]]:
        """The rows that are edited together with a row: their model, and the column that leads to it."""
        return [
            (inline.model, _get_foreign_key(self.model, inline.model, fk_name=inline.fk_name).attname)
            for inline in self.get_inline_instances(request, obj)
        ]

    # doing -----------------------------------------------------------------------------------------

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Inside one act with the given reason; what the domain refuses comes back in the form, and nothing is saved or lost."""
        extra = {"show_save_and_add_another": False, "show_save_and_continue": True, **(extra_context or {})}
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra)
        try:
            with act(request.user, request.POST.get("reason", "")):
                return super().changeform_view(request, object_id, form_url, extra)
        except Missing:
            raise
        except DomainError as error:
            request.refused_with = error  # type: ignore[attr-defined]  # for get_form
            if isinstance(error, staleness.Stale):
                sent = request.POST.copy()
                sent["seen"] = error.now  # it was told; the same form sent again is meant
                request.POST = sent  # type: ignore[assignment]
            response = super().changeform_view(request, object_id, form_url, extra)
            response.status_code = HTTPStatus.FORBIDDEN if isinstance(error, Forbidden) else HTTPStatus.UNPROCESSABLE_ENTITY
            return response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """With what can only be read as `readonly` shows it."""
        inlines = context["inline_admin_formsets"]
        rows = [form.instance for inline in inlines for form in inline.formset.initial_forms]
        opens = open_to(self.admin_site, request, [obj, *rows] if obj is not None else rows)
        context |= {"adminform": Shown(context["adminform"], opens), "inline_admin_formsets": [Shown(each, opens) for each in inlines]}
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, then look whether the row still lies where the person may change things; otherwise all is undone."""
        super().save_model(request, obj, form, change)
        verb = "change" if change else ("add" if "add" in self.rights else "change")
        if not self._may_now(request, verb, obj):
            raise Forbidden(_("You may not configure this there."), remedy=_("Choose a place where you hold the right."))

    def get_actions(self, request: HttpRequest) -> Any:
        """Without deletion in bulk, which would leave no history."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    # The history and the journal are the record; the admin's own log would be a second, weaker one.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        return None

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Our history page, which shows who, why, and the proof."""
        try:
            return HttpResponseRedirect(reverse("history", args=[self.opts.label_lower, object_id]))
        except NoReverseMatch:
            return HttpResponseRedirect(reverse("admin:index"))
