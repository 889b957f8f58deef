"""Lists: columns, filters, sorting, keyset pages, CSV of exactly what is filtered.

class AlertTable(Table):
    columns = (Column("title", _("Alert"), link=lambda a: a.get_absolute_url()), Column("level", _("Level"), chip=...))
    filters = (Filter("status", _("Status"), choices=Status.choices),)
    ordering = ("-opened_at",)
    search = ("title__icontains",)
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _

from config.portal import keyset
from config.portal.chips import Chip
from config.portal.errors import Invalid

Text = str | Promise
Value = Callable[[Any], Any]
COUNT_UP_TO = 10_000
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Column:
    """One column. `value` is an attribute path (`model__name`), a function of the row, or by default the name itself.

    `link(row)` makes it a link; `numeric` aligns right; `order` names the field to sort by (never a nullable one);
    `export(row)` is what CSV holds when it differs from what is shown. A value may be a Chip, a date, a number, text.
    """

    name: str
    label: Text
    value: str | Value | None = None
    link: Callable[[Any], str | None] | None = None
    numeric: bool = False
    order: str = ""
    export: Value | None = None
    mono: bool = False
    wide: bool = False

    def of(self, row: Any) -> Any:
        """What the cell shows."""
        if callable(self.value):
            return self.value(row)
        found = keyset.value_of(row, self.value or self.name)
        return found() if callable(found) and not hasattr(found, "all") else found

    def text(self, row: Any) -> Any:
        """What the CSV cell holds."""
        return self.export(row) if self.export else self.of(row)


@dataclass(frozen=True)
class Filter:
    """A choice above the table. `apply(rows, value)` narrows; by default `lookup` (or the name) is compared.

    `choices` is a sequence of (value, label), or a function of the request that gives one.
    """

    name: str
    label: Text
    choices: Sequence[tuple[Any, Text]] | Callable[[HttpRequest], Iterable[tuple[Any, Text]]] = ()
    lookup: str = ""
    apply: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None

    def options(self, request: HttpRequest) -> list[tuple[str, str]]:
        given = self.choices(request) if callable(self.choices) else self.choices
        return [(str(value), str(label)) for value, label in given]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return self.apply(rows, value) if self.apply else rows.filter(**{self.lookup or self.name: value})


@dataclass(frozen=True)
class Cell:
    """What a template needs to draw one cell."""

    column: Column
    value: Any
    url: str | None


@dataclass(frozen=True)
class Choice:
    """One value of a filter, and the address that chooses (or, when chosen, drops) it."""

    label: str
    url: str
    chosen: bool
    value: str


class Table:
    """A queryset as a filtered, sorted page of rows, read from the query string. Bad input is said, never a 500."""

    columns: ClassVar[Sequence[Column]]
    filters: ClassVar[Sequence[Filter]] = ()
    ordering: ClassVar[tuple[str, ...]] = ("pk",)
    search: ClassVar[tuple[str, ...]] = ()
    per_page: ClassVar[int] = 25
    caption: ClassVar[Text] = ""
    empty: ClassVar[Text] = ""
    empty_action: ClassVar[tuple[Text, str] | None] = None
    name: ClassVar[str] = ""

    def __init__(self, rows: QuerySet[Any], request: HttpRequest) -> None:
        self.request = request
        self._problems: list[str] = []
        self.chosen: dict[str, str] = {}
        self.q = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
        self._all = rows
        self._filtered = self._filter(rows)
        self._order = keyset.total(self._ordering())

    # narrowing -------------------------------------------------------------------------------------

    def _filter(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        for item in self.filters:
            value = self.request.GET.get(item.name, "")
            if not value:
                continue
            options = item.options(self.request)
            if options and value not in dict(options):
                self._problems.append(
                    _("“%(value)s” is no choice for %(filter)s; it was left out.") % {"value": value, "filter": item.label}
                )
                continue
            try:
                rows = item.narrow(rows, value)
                self.chosen[item.name] = value
            except (ValueError, TypeError, ValidationError, Invalid):
                self._problems.append(
                    _("“%(value)s” cannot be used for %(filter)s; it was left out.") % {"value": value, "filter": item.label}
                )
        if self.q and self.search and "\x00" not in self.q:
            found = Q()
            for lookup in self.search:
                found |= Q(**{lookup: self.q})
            rows = rows.filter(found)
        return rows

    def _ordering(self) -> tuple[str, ...]:
        wanted = self.request.GET.get("sort", "")
        if not wanted:
            return self.ordering
        column = next((column for column in self.columns if column.order and column.name == wanted.lstrip("-")), None)
        if column is None:
            self._problems.append(_("This list cannot be sorted by “%(column)s”.") % {"column": wanted.lstrip("-")})
            return self.ordering
        return (f"-{column.order}" if wanted.startswith("-") else column.order,)

    # the page --------------------------------------------------------------------------------------

    @cached_property
    def _page(self) -> tuple[list[Any], str, str]:
        after, before = self.request.GET.get("after", ""), self.request.GET.get("before", "")
        order, rows = self._order, self._filtered
        backwards = bool(before) and not after
        cursor = after or before
        if cursor:
            try:
                rows = rows.filter(keyset.beyond(order, keyset.decode(cursor, rows, order), backwards=backwards))
            except Invalid as error:
                self._problems.append(f"{error.message} {error.remedy}")
                cursor, backwards = "", False
        found = list(rows.order_by(*(keyset.reverse(order) if backwards else order))[: self.per_page + 1])
        more = len(found) > self.per_page
        found = found[: self.per_page]
        if backwards:
            found.reverse()
        has_previous = more if backwards else bool(cursor)
        has_next = bool(cursor) if backwards else more
        previous = self.url(before=keyset.encode(found[0], order)) if found and has_previous else ""
        following = self.url(after=keyset.encode(found[-1], order)) if found and has_next else ""
        return found, previous, following

    @property
    def problems(self) -> list[str]:
        """What of the query string could not be used, in words."""
        return self._problems if self._page else []  # the place in the list is read with the page

    @property
    def objects(self) -> list[Any]:
        """The rows of this page."""
        return self._page[0]

    @property
    def rows(self) -> list[list[Cell]]:
        """The cells of this page."""
        return [
            [Cell(column, column.of(row), column.link(row) if column.link else None) for column in self.columns] for row in self.objects
        ]

    @property
    def previous(self) -> str:
        return self._page[1]

    @property
    def next(self) -> str:
        return self._page[2]

    @cached_property
    def count(self) -> int:
        """How many rows the filters leave, counted up to 10,000."""
        return self._filtered.order_by()[: COUNT_UP_TO + 1].count()

    @property
    def count_text(self) -> str:
        return f"{COUNT_UP_TO:,}+" if self.count > COUNT_UP_TO else f"{self.count:,}"

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered or searched."""
        return bool(self.chosen or self.q)

    # addresses -------------------------------------------------------------------------------------

    def url(self, **changes: str | None) -> str:
        """This list with the query string changed; the place in the list is kept only when given."""
        query = self.request.GET.copy()
        for name in ("after", "before", "format", *changes):
            query.pop(name, None)
        for name, value in changes.items():
            if value:
                query[name] = value
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    @property
    def csv_url(self) -> str:
        return self.url(format="csv")

    @property
    def plain_url(self) -> str:
        """Without any filter."""
        return self.request.path

    @property
    def filter_rows(self) -> list[tuple[Filter, list[Choice]]]:
        """Each filter with its choices, as links."""
        rows = []
        for item in self.filters:
            current = self.chosen.get(item.name, "")
            choices = [
                Choice(label, self.url(**{item.name: None if value == current else value}), value == current, value)
                for value, label in item.options(self.request)
            ]
            if choices:
                rows.append((item, choices))
        return rows

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the search form must carry along."""
        return [*self.chosen.items(), *([("sort", self.request.GET["sort"])] if self.request.GET.get("sort") else [])]

    @property
    def heads(self) -> list[tuple[Column, str, str]]:
        """Each column with the address that sorts by it and the current direction (`ascending`, `descending` or empty)."""
        current = self.request.GET.get("sort", "")
        heads = []
        for column in self.columns:
            direction = {column.name: "ascending", f"-{column.name}": "descending"}.get(current, "") if column.order else ""
            target = f"-{column.name}" if direction == "ascending" else column.name
            heads.append((column, self.url(sort=target) if column.order else "", direction))
        return heads

    # export ----------------------------------------------------------------------------------------

    def csv(self) -> StreamingHttpResponse:
        """Every filtered row, streamed; cells that a spreadsheet would run as a formula are made text."""
        name = self.name or slugify(str(self.caption)) or "list"
        response = StreamingHttpResponse(self._lines(), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y%m%dT%H%MZ}.csv"'
        return response

    def _lines(self) -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\ufeff" + writer.writerow([safe(column.label) for column in self.columns])
        for row in self._filtered.order_by(*self._order).iterator(chunk_size=500):
            yield writer.writerow([safe(column.text(row)) for column in self.columns])


class _Echo:
    """A file that gives back what is written, so that the CSV writer can stream."""

    def write(self, text: str) -> str:
        return text


def safe(value: Any) -> str:
    """A CSV cell. Numbers stay numbers; text that begins like a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value.label) if isinstance(value, Chip) else str(value)
    return f"'{text}" if text.lstrip(" ")[:1] in {"=", "+", "-", "@", "\t", "\r", "\n", "|", "%"} else text
