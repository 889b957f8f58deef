"""The frame around every page: navigation by rights, theme, banner. Nothing is computed until a template asks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, Value
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from config.portal.permission import holds
from config.portal.registry import GROUPS, NavEntry, nav
from config.portal.views import CHOICES


@dataclass(frozen=True)
class NavLink:
    """One line of the sidebar, for one person."""

    label: Any
    url: str
    icon: str
    count: int | None
    current: bool


@dataclass(frozen=True)
class NavGroup:
    """A head of the sidebar and its lines."""

    label: Any
    links: list[NavLink]


class Shell:
    """Made per request; every property is asked at most once."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def theme(self) -> str:
        """The person's choice in this browser, else in the profile, else what the system prefers."""
        chosen = self.request.COOKIES.get("theme") or getattr(getattr(self.request, "user", None), "theme", "")
        return chosen if chosen in CHOICES["theme"] else "auto"

    @cached_property
    def compact(self) -> bool:
        """Denser rows, when the person asked for them in this browser."""
        return self.request.COOKIES.get("density") == "compact"

    @cached_property
    def collapsed(self) -> bool:
        """The sidebar as icons only, when the person narrowed it in this browser."""
        return self.request.COOKIES.get("sidebar") == "collapsed"

    @cached_property
    def example_data(self) -> bool:
        """Nothing on this installation is real."""
        return bool(settings.JOURNAL_ORIGIN.endswith(".invalid"))

    @cached_property
    def here(self) -> str:
        return self.request.get_full_path()

    @cached_property
    def groups(self) -> list[NavGroup]:
        """The sidebar of this person: only what they may open."""
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            return []
        found = [(entry, url) for entry in nav if offered(entry, user) and (url := _url(entry.url_name))]
        counts = waiting([entry for entry, _ in found], user)
        best = max((url for _, url in found if self._under(url)), key=len, default="")
        return [
            NavGroup(
                GROUPS[label],
                [NavLink(entry.label, url, entry.icon, counts.get(entry.url_name), url == best) for entry, url in lines],
            )
            for label, lines in groupby(found, key=lambda pair: pair[0].group)
        ]

    def _under(self, url: str) -> bool:
        return self.request.path == url or (url != "/" and self.request.path.startswith(url))


def offered(entry: NavEntry, user: Any) -> bool:
    """Whether this person is shown this line."""
    return holds(user, entry.right) and (entry.shown is None or entry.shown(user))


def waiting(entries: list[NavEntry], user: Any) -> Counter[str]:
    """How much waits behind each line. Every page shows these, so what can be counted in one statement is."""
    found = Counter({entry.url_name: entry.count(user) or 0 for entry in entries if entry.count})
    asked = [
        rows.order_by().annotate(line=Value(entry.url_name, CharField())).values("line").annotate(n=Count("pk")).values_list("line", "n")
        for entry in entries
        if entry.rows
        for rows in entry.rows(user)
    ]
    for line, n in asked[0].union(*asked[1:], all=True) if asked else ():
        found[line] += n
    return found


def _url(name: str) -> str:
    """The address, or nothing when the page does not exist on this installation."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


__all__ = ["NavEntry", "NavGroup", "NavLink", "Shell"]
