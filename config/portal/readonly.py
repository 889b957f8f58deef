"""What can only be read on a configuration screen: references that lead somewhere, documents as people write them.

A reference leads only to what the person may open: a way that ends in 404 says that something is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.admin.helpers import AdminReadonlyField
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model
from django.http import HttpRequest
from django.utils.html import format_html

from config.portal.unions import plain, present

Opens = Callable[[Model], bool]


class Shown:
    """An admin form, or a part of one, whose read-only fields are shown as above."""

    def __init__(self, of: Any, opens: Opens) -> None:
        self._of, self._opens = of, opens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def __iter__(self) -> Iterator[Any]:
        for part in self._of:
            if isinstance(part, AdminReadonlyField):
                yield ReadOnly(part, self._opens)
            else:
                yield Shown(part, self._opens) if hasattr(part, "__iter__") else part


class ReadOnly:
    """One of Django's read-only fields."""

    def __init__(self, of: AdminReadonlyField, opens: Opens) -> None:
        self._of = of
        link = of.get_admin_url

        def lead(remote_field: Any, row: Model) -> str:
            return link(remote_field, row) if opens(row) else str(row)

        of.get_admin_url = lead  # type: ignore[method-assign, assignment]  # of this one field, not of the class

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def contents(self) -> str:
        """A document as its form would show it; everything else as Django does."""
        row = self._of.form.instance
        try:
            field = row._meta.get_field(self._of.field["name"])
        except FieldDoesNotExist:  # a column that the screen computes
            return self._of.contents()
        value = field.value_from_object(row) if not field.is_relation else None
        if not isinstance(value, (dict, list)):
            return self._of.contents()
        forms = getattr(getattr(self._of.model_admin, "form", None), "declared_fields", {})
        text = (forms.get(field.name) or field.formfield()).prepare_value(value)
        return format_html('<pre tabindex="0">{}</pre>', text) if value else self._of.empty_value_display


def open_to(site: Any, request: HttpRequest, rows: Iterable[Model]) -> Opens:
    """Which rows that these point at have a screen that the person may open; one query."""
    wanted: defaultdict[type[Model], set[Any]] = defaultdict(set)
    for row in rows:
        for field in row._meta.concrete_fields:
            if isinstance(field, ForeignKey) and field.related_model in site._registry:
                wanted[field.related_model] |= {getattr(row, field.attname)} - {None}
    screens = {noun._meta.label_lower: (site._registry[noun].get_queryset(request), keys) for noun, keys in wanted.items() if keys}
    seen = present({label: rows.filter(pk__in=keys) for label, (rows, keys) in screens.items()})
    return lambda row: (row._meta.label_lower, plain(row.pk)) in seen
