"""Search and commands in one place. Asked afresh each time, through the person's own rights; nothing is cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.pages import SIGNED_IN, Page
from config.portal.permission import holds
from config.portal.registry import Hit, commands, nav, recent, search
from config.portal.shell import offered

PER_KIND = 6
LONGEST = 100


@dataclass(frozen=True)
class HitGroup:
    """Hits of one kind."""

    label: str
    hits: list[Hit]


class PalettePage(Page):
    """`/palette/?q=`: a whole page, or its results only for the dialog's script."""

    right = SIGNED_IN
    title = gettext_lazy("Search")
    template_name = "portal/palette.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
        found = {"q": text, "groups": groups(request.user, text)}
        if request.headers.get("X-Palette"):
            response: HttpResponse = render(request, "portal/parts/palette_results.html", found)
        else:
            response = self.render_to_response(self.get_context_data(**found))
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "X-Palette, Cookie"
        return response


def groups(user: Any, text: str) -> list[HitGroup]:
    """What this person may do and see that fits the text; without text what they looked at, where to go, what to do."""
    found = [HitGroup(_("Go to"), _places(user, text)), HitGroup(_("Do"), _commands(user, text))]
    if len(text) >= 2:
        found = [HitGroup(str(kind.label), list(kind.find(user, text, PER_KIND))[:PER_KIND]) for kind in search] + found
    if not text:
        found = [HitGroup(_("Recent"), [hit for look in recent for hit in look(user, PER_KIND)][:PER_KIND]), *found]
    return [group for group in found if group.hits]


def _fits(label: str, text: str) -> bool:
    return all(word in label.lower() for word in text.lower().split())


def _nearest(hits: list[Hit], text: str) -> list[Hit]:
    """What begins with the text before what only holds it: "Models" goes to Models, not to My models."""
    return sorted(hits, key=lambda hit: not hit.title.lower().startswith(text.lower()))


def _places(user: Any, text: str) -> list[Hit]:
    found = [
        Hit(str(entry.label), str(entry.group), url, entry.icon)
        for entry in nav
        if _fits(str(entry.label), text) and offered(entry, user) and (url := _url(entry.url_name))
    ]
    return _nearest(found, text)


def _commands(user: Any, text: str) -> list[Hit]:
    found = [
        Hit(str(command.label), "", url, "plus")
        for command in commands
        if _fits(str(command.label), text) and holds(user, command.right) and (url := _url(command.url_name))
    ]
    return _nearest(found, text)


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
