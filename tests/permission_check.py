"""What a cell of the permission table means, and how the portal is asked.

A row is one method of one route. Its cells are every kind of person × the object in their own, a sibling and a foreign region, and
each cell is one status. What a list may show is said as the places a person sees into; the exact ids follow from `permission_stock`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.urls import reverse

from tests.permission_stock import MARKS, PLACES, World

NONE: frozenset[str] = frozenset()
DE = frozenset({"de"})
EU = frozenset({"eu", "de", "fr"})
ALL = frozenset({"global", "emea", "eu", "de", "fr", "apac", "jp"})

# How far each kind of person sees: the region where they hold their role, and everything below.
SIGHT: Mapping[str, frozenset[str]] = {
    "anonymous": NONE,
    "inactive": NONE,
    "expired token": NONE,
    "no role": NONE,
    "superuser": NONE,  # Django's flag; here it opens nothing
    "viewer": DE,
    "owner": DE,
    "technical lead": DE,
    "approver": EU,
    "compliance": ALL,
    "executive": ALL,
    "regional admin": EU,
    "global admin": ALL,
    "read token": DE,  # of the owner
    "pipeline token": EU,
}
LOCKED_OUT = ("anonymous", "inactive", "expired token")
TOKENS = ("read token", "pipeline token")  # open the API only
PEOPLE = tuple(kind for kind in SIGHT if kind not in (*LOCKED_OUT, *TOKENS))

Body = Mapping[str, Any] | Callable[[World, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """One method of one route.

    `may`: who gets `ok`, where they see the object of the noun `of` (anywhere, when it is about no object). `sees`: who else may
    know that it exists, and gets 403. Out of sight is 404, and whoever holds nothing of the kind anywhere gets `nowhere`.
    `lists`: the noun whose rows the answer shows, exactly those in sight.
    """

    method: str
    route: str
    of: str = ""
    may: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    ok: int = 200
    nowhere: int = 0
    refused: int = 403
    hidden: int = 404
    unentered: int = 0  # what those get who may not even enter (the configuration screens send them to sign in)
    also: Mapping[str, int] = field(default_factory=dict)  # the one who gets something else
    lists: str = ""
    body: Body = field(default_factory=dict)
    query: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    key: str = "pk"
    api: bool = False
    to_all: bool = False  # open: nobody has to sign in

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"

    def status(self, kind: str, place: str) -> int:
        """What this kind of person gets for the object in this place."""
        if self.to_all:
            return self.ok
        if kind in self.also:
            return self.also[kind]
        if kind in LOCKED_OUT or (kind in TOKENS and not self.api):
            return 401 if self.api else 302
        if self.unentered and SIGHT[kind] == NONE:
            return self.unentered
        if kind == "read token" and self.method == "POST":
            return 403  # its scope
        near = not self.of or place in SIGHT[kind] or place == "" or self.may is PEOPLE
        if kind in self.may and near:
            return self.ok
        if kind in self.sees and near:
            return self.refused
        if kind in self.may or kind in self.sees:
            return self.hidden
        return self.nowhere or (403 if self.api or not self.of else 404)

    def url(self, world: World, place: str) -> str:
        """The address for the object in this place."""
        args = dict(self.args)
        if self.of and self.key:
            args[self.key] = str(world.one(self.of, place).pk)
        return reverse(self.route, kwargs=args) + self.query.format(mark=MARKS.get(place, ""))


@dataclass(frozen=True)
class Cell:
    """Where the portal does not do what the table says."""

    row: str
    kind: str
    place: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.row} · {self.kind}{f' · {self.place}' if self.place else ''}: {self.wrong}"


def compare(world: World, rows: Iterable[Row], kinds: Iterable[str] = tuple(SIGHT)) -> list[Cell]:
    """Every cell in which the portal differs from the table."""
    kinds = tuple(kinds)
    return [cell for row in rows for kind in kinds for place in _places(world, row, kind) for cell in _differences(world, row, kind, place)]


def _places(world: World, row: Row, kind: str) -> tuple[str, ...]:
    if not row.of:
        return ("",)
    if world.rows[row.of].get(""):
        return ("",)
    # Whoever is not let in at all is asked about one place only: which one it is cannot matter to a log-in page.
    return PLACES[:1] if kind in LOCKED_OUT or (kind in TOKENS and not row.api) else PLACES


def _differences(world: World, row: Row, kind: str, place: str) -> Iterator[Cell]:
    response, text = ask(world, row, kind, place)
    wanted = row.status(kind, place)
    if response.status_code != wanted:
        yield Cell(row.name, kind, place, f"{response.status_code} instead of {wanted}")
        return
    if row.to_all:
        return
    shown = {code for code, mark in MARKS.items() if mark in text}
    # What somebody typed into the address comes back in the page; that is no leak.
    asked = {code for code, mark in MARKS.items() if place == code and response.status_code >= 300}
    if leaked := shown - SIGHT[kind] - asked:
        yield Cell(row.name, kind, place, f"shows something of {sorted(leaked)}")
    if row.lists and response.status_code == 200:
        yield from _listed(world, row, kind, response, text)


def _listed(world: World, row: Row, kind: str, response: Any, text: str) -> Iterator[Cell]:
    wanted = world.ids(row.lists, SIGHT[kind])
    found = list(ids(row, response, text))
    if len(found) != len(set(found)):
        yield Cell(row.name, kind, "", "shows a row twice")
    if set(found) != wanted:
        yield Cell(row.name, kind, "", f"{len(set(found) - wanted)} rows too many, {len(wanted - set(found))} too few")
    table = response.context.get("table") if response.context else None
    if table is None:
        return
    if table.count != len(wanted):
        yield Cell(row.name, kind, "", f"counts {table.count} instead of {len(wanted)}")
    export = b"".join(world.clients[kind].get(row.url(world, ""), {**_query(row), "format": "csv"}).streaming_content).decode()
    lines = export.strip().splitlines()[1:]
    if len(lines) != len(wanted):
        yield Cell(row.name, kind, "", f"exports {len(lines)} rows instead of {len(wanted)}")
    if leaked := {code for code, mark in MARKS.items() if mark in export} - SIGHT[kind]:
        yield Cell(row.name, kind, "", f"exports something of {sorted(leaked)}")


def _query(row: Row) -> dict[str, str]:
    return dict(pair.split("=") for pair in row.query.lstrip("?").split("&") if pair)


def ids(row: Row, response: Any, text: str) -> Iterator[str]:
    """The ids that an answer lists: of a document's results, an admin's change list, or a page's table."""
    if row.api or response.headers.get("Content-Type", "").startswith("application/json"):
        yield from (str(entry["id"]) for entry in json.loads(text)["results"])
        return
    context = response.context
    rows = context["cl"].result_list if "cl" in context else context["table"].objects
    yield from (str(found.pk) for found in rows)


def ask(world: World, row: Row, kind: str, place: str) -> tuple[Any, str]:
    """The answer and its text; whatever the request did is undone."""
    client, url = world.clients[kind], row.url(world, place)
    body = row.body(world, place) if callable(row.body) else row.body
    # A browser's body is a form, a program's is a document, unless a file comes with it.
    media = {"content_type": "application/json"} if row.api and not any(hasattr(value, "read") for value in body.values()) else {}
    with undone():
        if row.method == "GET":
            response = client.get(url)
        else:
            response = client.post(url, json.dumps(body) if media else dict(body), **media)
        raw = b"".join(response.streaming_content) if response.streaming else response.content
    return response, raw.decode(errors="replace")


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written inside is taken back, so that one world serves thousands of requests."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # lets what must not be nested believe that it is not
    with block:
        yield
        transaction.set_rollback(True)
