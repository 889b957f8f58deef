"""References on a configuration screen lead only to what the person may open: a way that ends in 404 says that something is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django.contrib.admin.helpers import AdminReadonlyField
from django.db.models import ForeignKey, Model
from django.http import HttpRequest

from config.portal.unions import plain, present

Opens = Callable[[Model], bool]


class Led:
    """An admin form, or a part of one, in which what may not be opened is a name and no link."""

    def __init__(self, of: Any, opens: Opens) -> None:
        self._of, self._opens = of, opens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def __iter__(self) -> Iterator[Any]:
        for part in self._of:
            if isinstance(part, AdminReadonlyField):
                setattr(part, "get_admin_url", partial(_lead, part.get_admin_url, self._opens))  # noqa: B010 - one field, not the class
            yield Led(part, self._opens) if hasattr(part, "__iter__") else part


def _lead(link: Callable[[Any, Model], str], opens: Opens, remote_field: Any, row: Model) -> str:
    return link(remote_field, row) if opens(row) else str(row)


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
