"""What the floors above put into the shell: navigation, search, commands, inbox, panels, checks, gauges.

Each is filled in AppConfig.ready() and read by pages. Registering the same thing twice replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.models import QuerySet

Text = str | Promise
Count = Callable[[Any], int | None]
Rows = Callable[[Any], Sequence["QuerySet[Any]"]]
T = TypeVar("T")

# The groups of the sidebar in their order: name → what people read.
GROUPS: dict[str, Promise] = {
    "Work": _("Work"),
    "Portfolio": _("Portfolio"),
    "Models": _("Models"),
    "Changes": _("Changes"),
    "Monitoring": _("Monitoring"),
    "Proof": _("Proof"),
    "Configuration": _("Configuration"),
}


class Ordered(Generic[T]):
    """Named entries, read in the order given by `key`."""

    def __init__(self, key: Callable[[T], Any]) -> None:
        self._entries: dict[str, T] = {}
        self._key = key

    def __iter__(self) -> Iterator[T]:
        return iter(sorted(self._entries.values(), key=self._key))

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, name: str, entry: T) -> None:
        self._entries[name] = entry

    def discard(self, name: str) -> None:
        """Forget an entry (tests)."""
        self._entries.pop(name, None)


@dataclass(frozen=True)
class NavEntry:
    """A line of the sidebar."""

    group: str
    label: Text
    url_name: str
    right: str
    count: Count | None = None
    order: int = 100
    icon: str = ""
    shown: Callable[[Any], bool] | None = None
    rows: Rows | None = None


class Nav(Ordered[NavEntry]):
    """The sidebar."""

    def register(
        self,
        group: str,
        label: Text,
        url_name: str,
        right: str,
        *,
        count: Count | None = None,
        order: int = 100,
        icon: str = "",
        shown: Callable[[Any], bool] | None = None,
        rows: Rows | None = None,
    ) -> None:
        """`group` is one of GROUPS; `count(user)` is shown beside the label when it is above zero.

        `rows(user)` gives querysets to be counted instead: those of the whole sidebar are counted in one statement.

        `shown(user)` narrows further, where one right does not say who the page is for.
        """
        if group not in GROUPS:
            raise LookupError(f"{group!r} is no group of the sidebar; there are {', '.join(GROUPS)}.")
        self.put(url_name, NavEntry(group, label, url_name, str(right), count, order, icon, shown, rows))


@dataclass(frozen=True)
class Hit:
    """One thing that a search found and the person may see."""

    title: str
    subtitle: str
    url: str
    icon: str = ""


@dataclass(frozen=True)
class SearchKind:
    """One kind of thing the palette looks for."""

    kind: str
    label: Text
    find: Callable[[Any, str, int], Iterable[Hit]]


class Search(Ordered[SearchKind]):
    """What the palette looks through. Each function applies the person's rights itself, and nothing is cached."""

    def register(self, kind: str, label: Text, fn: Callable[[Any, str, int], Iterable[Hit]]) -> None:
        """`fn(user, text, limit)` gives at most `limit` hits."""
        self.put(kind, SearchKind(kind, label, fn))


@dataclass(frozen=True)
class Command:
    """Something to do, offered by the palette."""

    label: Text
    url_name: str
    right: str


class Commands(Ordered[Command]):
    """What the palette offers to do."""

    def register(self, label: Text, url_name: str, right: str) -> None:
        self.put(url_name, Command(label, url_name, str(right)))


@dataclass(frozen=True)
class InboxItem:
    """One thing that waits for a person, or that a person waits for."""

    title: Text
    url: str
    kind: str
    meta: Text = ""
    due: datetime | None = None
    since: datetime | None = None  # when the time until then began to run
    bucket_hint: str = ""
    waiting_on: str = ""


class Inbox:
    """Providers of inbox items; items are computed, never stored."""

    def __init__(self) -> None:
        self._providers: dict[str, Callable[[Any, datetime], Iterable[InboxItem]]] = {}

    def register(self, fn: Callable[[Any, datetime], Iterable[InboxItem]]) -> Callable[[Any, datetime], Iterable[InboxItem]]:
        """`fn(user, at)` gives what waits for this person; usable as a decorator."""
        self._providers[f"{fn.__module__}.{fn.__qualname__}"] = fn
        return fn

    def items(self, user: Any, at: datetime) -> list[InboxItem]:
        """Everything, the most urgent first; what has no deadline comes last."""
        found = [item for provider in self._providers.values() for item in provider(user, at)]
        return sorted(found, key=lambda item: (item.due is None, item.due or at, str(item.title)))


PanelContext = Callable[[HttpRequest, Any], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Panel:
    """A part of a page that another slice supplies."""

    place: str
    order: int
    right: str
    context: PanelContext
    template: str


class Panels(Ordered[Panel]):
    """Parts of pages by place, for instance `model:overview`."""

    def register(self, place: str, order: int, right: str, fn: PanelContext, template: str) -> None:
        """`fn(request, obj)` gives the template's context, or None when there is nothing to show."""
        self.put(f"{place} {template}", Panel(place, order, str(right), fn, template))

    def at(self, place: str) -> list[Panel]:
        return [panel for panel in self if panel.place == place]


@dataclass(frozen=True)
class Check:
    """One condition of being ready."""

    name: str
    fn: Callable[[], str | None]
    note: Callable[[], str | None] | None = None
    at_start: bool = False


class Readiness(Ordered[Check]):
    """What `/readyz` asks."""

    def register(
        self, name: str, fn: Callable[[], str | None], *, note: Callable[[], str | None] | None = None, at_start: bool = False
    ) -> None:
        """`fn()` gives None (or an empty text) when all is well, otherwise the reason in words.

        `note()` gives what an operator should know although it is no reason. `at_start`: each serving process asks it
        once and logs the answer.
        """
        self.put(name, Check(name, fn, note, at_start))


@dataclass(frozen=True)
class Gauge:
    """A number that is counted when Prometheus asks."""

    name: str
    help: str
    fn: Callable[[], float | Mapping[tuple[str, ...], float]]
    labels: tuple[str, ...] = field(default=())


class Gauges(Ordered[Gauge]):
    """What `/metrics` shows. From the database at scrape: per-process counters lie under several workers."""

    def register(
        self, name: str, help: str, fn: Callable[[], float | Mapping[tuple[str, ...], float]], labels: tuple[str, ...] = ()
    ) -> None:
        """`fn()` gives one number, or with `labels` one number per tuple of label values."""
        self.put(name, Gauge(name, help, fn, labels))


nav = Nav(lambda entry: (list(GROUPS).index(entry.group), entry.order, entry.url_name))
search = Search(lambda kind: kind.kind)
commands = Commands(lambda command: command.url_name)
inbox = Inbox()
panels = Panels(lambda panel: (panel.place, panel.order, panel.template))
readiness = Readiness(lambda check: check.name)
gauges = Gauges(lambda gauge: gauge.name)


# What a person looked at last, `fn(user, limit)`; asked of the database each time, so that what is out of sight is not named.
recent: list[Callable[[Any, int], Iterable[Hit]]] = []


def _nobody(user: Any) -> bool:
    return False


_needs_second_factor: Callable[[Any], bool] = _nobody


def require_second_factor(fn: Callable[[Any], bool]) -> None:
    """Installed by access: which people may not work without a second factor."""
    global _needs_second_factor
    _needs_second_factor = fn


def needs_second_factor(user: Any) -> bool:
    """Whether this person holds a right (signing, configuration) that asks for a second factor."""
    return _needs_second_factor(user)
