"""The permission table against the portal: every address, every kind of person, own, sibling and foreign region."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import URLResolver, get_resolver

from config.portal.permission import Restricted
from stewardship.journal.acting import acting
from stewardship.journal.sequence import settle
from stewardship.people.models import User, system_user
from stewardship.roles.assign import assign
from stewardship.roles.matrix import define_role
from stewardship.roles.models import Role
from tests.cast import PASSWORD, Cast
from tests.permission_check import Row, compare
from tests.permission_stock import World
from tests.permission_table import API, EXEMPT, FRONT, OPEN, PAGES, SCREENS, screen_rows
from tests.permission_world import build

# Each way of holding something: nobody, in one region, in several with and without configuring, everywhere.
KINDS_OF_REACH = ("anonymous", "superuser", "owner", "regional admin", "compliance", "global admin")
# Addresses of the configuration that every screen has; they lead on to pages with rows of their own.
SAME_IN_EVERY_SCREEN = ("_history", "_delete", "_change", "_add")
IN_EVERY_SCREEN = {"admin:None", "admin:login", "admin:logout"}
# They look for the person's own rows, and never ask for more; or, for a fact in quarantine, they ask about its source as well;
# or nobody who holds the right is without sight of any place.
OWN_ROWS_ONLY = {"history_proof", "notice_open", "token_revoke", "file_download", "quarantine_place", "quarantine_dismiss"}


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world, its journal signed once. Each cell's request is undone, which a signer must not be told of."""
    made = build(cast)
    settle()
    monkeypatch.setattr("stewardship.journal.middleware._sequence", lambda: None)
    monkeypatch.setattr("governance.audits.request.settle", lambda: None)
    # The sidebar's counts, two fifths of every answer, are compared in test_elsewhere, to the letter.
    monkeypatch.setattr("config.portal.shell.waiting", lambda _entries, _user: Counter())
    logging.disable(logging.CRITICAL)  # thousands of refusals are expected
    yield made
    logging.disable(logging.NOTSET)


def told(cells: Sequence[object]) -> str:
    """The first of them, one a line."""
    return "\n".join(["", *map(str, cells[:80]), f"{len(cells)} in all"])


def test_pages(world: World) -> None:
    assert not (wrong := compare(world, PAGES)), told(wrong)


def test_api(world: World) -> None:
    assert not (wrong := compare(world, API)), told(wrong)


def test_what_is_open_to_all(world: World) -> None:
    assert not (wrong := compare(world, OPEN)), told(wrong)


def test_the_front_of_the_configuration(world: World) -> None:
    assert not (wrong := compare(world, FRONT)), told(wrong)


@pytest.mark.parametrize("kind", KINDS_OF_REACH)
def test_configuration_screens(world: World, kind: str) -> None:
    rows = [row for label, screen in SCREENS.items() for row in screen_rows(label, screen)]
    wrong = compare(world, rows, [kind])
    assert not wrong, told(wrong)


def test_panels_ask_about_the_very_object(world: World) -> None:
    """Whoever sees a model here, and everything only elsewhere, is shown the model's tabs without anything else of it."""
    system, cast = system_user(), world.cast
    only = define_role(actor=system, slug="only-models", name="only models", rights={"inventory:model:view": "R"})
    with acting(system, "The world"):
        rita = User.objects.create_user("rita", "rita@bank.example", PASSWORD, home_region=cast.regions["jp"])
    assign(actor=system, role=Role.objects.get(slug="viewer"), user=rita, region=cast.regions["jp"], rationale="The world")
    assign(actor=system, role=only, user=rita, region=cast.regions["de"], rationale="The world")
    client = Client()
    client.force_login(rita, backend="allauth.account.auth_backends.AuthenticationBackend")
    for tab in ("dossier", "monitoring", "people"):
        here, elsewhere = (client.get(f"/models/{world.one('stewardship.RegisteredModel', place).pk}/?tab={tab}") for place in ("de", "jp"))
        assert "There is nothing here that you may see." in here.content.decode(), tab
        assert "There is nothing here that you may see." not in elsewhere.content.decode(), tab


# --- nothing is missing from the table ----------------------------------------------------------


def routes(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, Any]]:
    """Every address there is, by the name of its route, with its view."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry, f"{space}{entry.namespace}:" if entry.namespace else space)
        else:
            yield f"{space}{entry.name}", entry.callback


def methods(view: Any) -> set[str]:
    """What a view answers to, of GET and POST; a plain function that says nothing is looked at."""
    if actions := getattr(view, "actions", None):
        return {method.upper() for method in actions} & {"GET", "POST"}
    if kind := getattr(view, "view_class", getattr(view, "cls", None)):
        return {name.upper() for name in ("get", "post") if hasattr(kind, name) and name in kind.http_method_names}
    return set()


def exempt(name: str) -> bool:
    return any(name == known or (known.endswith("_") and name.startswith(known)) for known in EXEMPT)


def test_every_address_has_its_row() -> None:
    rows = [*OPEN, *PAGES, *API, *FRONT, *(row for label, screen in SCREENS.items() for row in screen_rows(label, screen))]
    known: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        known[row.route].add(row.method)
    missing = []
    for name, view in routes(get_resolver()):
        if exempt(name) or name in IN_EVERY_SCREEN or name.endswith(SAME_IN_EVERY_SCREEN):
            continue
        wanted = methods(view) or {"GET"} if name not in known else methods(view)
        missing += [f"{method} {name}" for method in sorted(wanted - known[name])]
    assert missing == [], "give them a row in tests/permission_table.py"


def test_every_row_has_its_address() -> None:
    there = {name for name, _view in routes(get_resolver())}
    rows: list[Row] = [*OPEN, *PAGES, *API, *FRONT, *(row for label, screen in SCREENS.items() for row in screen_rows(label, screen))]
    assert {row.route for row in rows} - there == set()
    assert {label.lower() for label in SCREENS} == {model._meta.label_lower for model in admin.site._registry}


# --- the table would notice ---------------------------------------------------------------------

MUTANTS = sorted({row.lists for row in (*PAGES, *API) if row.lists} | {row.of for row in (*PAGES, *API) if "." in row.of})


def test_a_view_without_allowed_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each noun by itself: `allowed()` lets everything through, and each page and endpoint of it must then differ."""
    honest = Restricted.allowed
    unnoticed = []
    for label in MUTANTS:
        noun = apps.get_model(label)

        def blind(self: Any, user: Any, right: str, at: Any = None, *, _noun: Any = noun) -> Any:
            return self.all() if self.model is _noun else honest(self, user, right, at)

        rows = [row for row in (*PAGES, *API) if label in (row.lists, row.of) and row.route not in OWN_ROWS_ONLY and row.method == "GET"]
        monkeypatch.setattr(Restricted, "allowed", blind)
        noticed = {cell.row for cell in compare(world, rows, ("viewer", "owner"))}
        monkeypatch.setattr(Restricted, "allowed", honest)
        unnoticed += [f"{row.name} without {label}.allowed()" for row in rows if row.name not in noticed]
    assert not unnoticed, told(unnoticed)
