"""Rows of a parent inside its configuration screen, read together however many they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.db.models import ForeignKey, Model, QuerySet
from django.forms.models import _get_foreign_key  # as Django's own admin does
from django.http import HttpRequest

from config.portal.admin import WIDGETS, GovernedAdmin, searched_for, visible

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class Searched(AutocompleteSelect):
    """A search for one of many that knows what all rows of the screen have chosen, instead of asking row by row."""

    def __init__(self, field: Any, site: Any, known: Callable[[], Mapping[str, str]]) -> None:
        super().__init__(field, site)
        self.known = known

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        chosen = next((str(one) for one in value if one), "")
        if not chosen or chosen not in self.known():
            return super().optgroups(name, value, attr)
        empty = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        return [(None, [*empty, self.create_option(name, chosen, self.known()[chosen], True, len(empty))], 0)]


class RowForm(_ModelForm):
    """A row's own form: labels without a colon, as everywhere in the portal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


# The stubs know the class as a generic one, which it is not when it runs; mypy takes no base that is chosen.
class GovernedInline(admin.TabularInline[Any, Any] if TYPE_CHECKING else admin.TabularInline):  # type: ignore[misc]
    """Rows of a parent, under the parent's rights."""

    form = RowForm
    extra = 0
    show_change_link = True
    formfield_overrides = WIDGETS
    also_related: ClassVar[tuple[str, ...]] = ()  # what the names of the rows need besides what their own columns lead to

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the columns lead to: each row says its own name, and most of them begin with it."""
        leads = [field.name for field in self.opts.fields if isinstance(field, ForeignKey)]
        rows: QuerySet[Any] = super().get_queryset(request).select_related(*leads, *self.also_related)
        return rows

    def _parent(self) -> GovernedAdmin:
        found: GovernedAdmin = self.admin_site._registry[self.parent_model]
        return found

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._parent().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._parent().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None) -> bool:
        return self._parent().has_change_permission(request, obj) if obj else self._parent().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        return searched_for(self)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the ways to change or add what is chosen: they stand on its own screen, and here once for every row."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs = visible(db_field, request, kwargs)
        if db_field.name in self.get_autocomplete_fields(request):
            widget = Searched(db_field, self.admin_site, cache(lambda: self._chosen(db_field, request, kwargs.get("queryset"))))
            return super().formfield_for_foreignkey(db_field, request, **{"widget": widget, **kwargs})
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            offered = field.choices
            field.choices = cache(lambda: [choice for choice in offered])  # noqa: C416 - list() would count the rows first
        return field

    def _chosen(self, db_field: Any, request: HttpRequest, offered: QuerySet[Any] | None) -> dict[str, str]:
        """The names of what the rows of this screen have chosen in one column, of what the person may see; one query."""
        match = request.resolver_match
        parent = unquote(match.kwargs["object_id"]) if match and "object_id" in match.kwargs else None
        if parent is None or offered is None:
            return {}
        leads: Any = _get_foreign_key(self.parent_model, self.model, fk_name=self.fk_name)
        rows = self.model._default_manager.filter(**{leads.attname: parent}).order_by()
        return {str(row.pk): str(row) for row in offered.filter(pk__in=rows.values(db_field.attname))}


class GovernedCards(GovernedInline):
    """The same with a card for each row, its fields side by side as far as there is room: for rows with many of them."""

    template = "admin/edit_inline/stacked.html"
