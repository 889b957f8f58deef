"""Every page and configuration screen of the portal on a full database: how many statements it asks and how large it is.

`python -m tests.benchmarks.pages`; PAGES_MODELS changes the size (default 10,000), PAGES_USERS the number of people (1,000).
A page of one object shows the newest object of its kind. Every tab of a page is measured; the largest counts.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from tests.benchmarks._bench import analyze, database, report
from tests.benchmarks._scene import one_full_model, populate, what_people_see

MODELS = int(os.environ.get("PAGES_MODELS", "10000"))
USERS = int(os.environ.get("PAGES_USERS", "1000"))
QUERIES, KILOBYTES = 20, 60


def pages() -> Iterator[tuple[str, type[Any], list[str]]]:
    """Name, class and names of arguments of every page of the portal."""
    from django.urls import URLPattern, get_resolver

    from config.portal.pages import Page

    def walk(patterns: Any) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield pattern
            else:
                yield from walk(pattern.url_patterns)

    for pattern in walk(get_resolver().url_patterns):
        view = getattr(pattern.callback, "view_class", None)
        if pattern.name and view is not None and issubclass(view, Page):
            yield pattern.name, view, list(pattern.pattern.converters)


def address(name: str, view: Any, arguments: list[str]) -> str | None:
    """Where the page is, of the newest object of its kind, of tumour-risk where that is a model; None without such an object."""
    from django.urls import reverse

    from stewardship.inventory.models import RegisteredModel

    if not arguments:
        return reverse(name)
    full = RegisteredModel.objects.get(slug="tumour-risk")
    model = RegisteredModel if name == "change_new" else getattr(view, "model", None)
    if name == "history":
        return reverse(name, args=["stewardship.registeredmodel", full.pk])
    if arguments != ["pk"] or model is None:
        return None
    if model is RegisteredModel:
        return reverse(name, args=[full.pk])
    field = next((name for name in ("registered_at", "opened_at", "at") if name in {field.name for field in model._meta.fields}), "pk")
    newest = model._default_manager.order_by(f"-{field}").first()
    return None if newest is None else reverse(name, args=[newest.pk])


def screens() -> Iterator[tuple[str, str]]:
    """Name and address of each configuration screen: its list, its empty form, its newest row."""
    from django.contrib import admin
    from django.urls import reverse

    yield "admin:index", reverse("admin:index")
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label_lower):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield f"{name}_changelist", reverse(f"{name}_changelist")
        yield f"{name}_add", reverse(f"{name}_add")
        newest = model._default_manager.filter(**SHOWN.get(name, {})).order_by("-pk").first()
        if newest is not None:
            yield f"{name}_change", reverse(f"{name}_change", args=[newest.pk])


# Which rows a screen shows, where it does not show all.
SHOWN: dict[str, dict[str, Any]] = {"admin:stewardship_delivery": {"notice__channel": "email"}}

# What is no page of its own here, and why.
NO_PAGE = {
    **dict.fromkeys(("notice_open", "token_revoke", "report_file", "report_bundle", "file_download", "change_submit"), "leads elsewhere"),
    **dict.fromkeys(("action_verify", "action_reopen", "report_cancel"), "of another state than the newest one"),
    **dict.fromkeys(("absence_end", "delegation_end", "comment_add", "thread_settle"), "answers POST only"),
    "dossier_diff": "between two revisions: measured as dossier_edit",
    "history_proof": "a file",
}


def measure(cast: Any) -> None:
    """One line a page; statements and bytes of the worst of its tabs, for the first of several people who may open it."""
    from django.test import Client

    clients = []
    for username in ("dana", "alice", "frank", "bob", "everyone"):
        clients.append(Client())
        clients[-1].force_login(_everything(cast) if username == "everyone" else cast.users[username])
    worst, largest, count, skipped = 0, 0.0, 0, []
    found = [(name, address(name, view, arguments)) for name, view, arguments in pages()]
    for name, url in sorted({*found, *screens()}):
        # The first visit reads what is read once a process; its answer says who may open the page.
        client = next((client for client in clients if url and client.get(url).status_code == 200), None)
        if client is None or url is None:
            # An empty form that nobody may fill is none.
            skipped += [name] if name not in NO_PAGE and not name.endswith("_add") else []
            continue
        queries, size = visit(client, url)
        count, worst, largest = count + 1, max(worst, queries), max(largest, size)
        print(json.dumps({"page": name, "queries": queries, "kilobytes": round(size, 1)}), flush=True)
    if skipped:
        raise SystemExit(f"Nobody could open {', '.join(skipped)}.")
    report("pages.queries", worst, "statements", QUERIES, note=f"worst of {count} pages and screens at {MODELS} models and {USERS} people")
    report("pages.size", largest, "KB", KILOBYTES, note="uncompressed HTML")


def _everything(cast: Any) -> Any:
    """Somebody who may do everything everywhere, so that every screen shows all it has."""
    from stewardship.access.rights import all_rights
    from stewardship.journal.acting import acting
    from stewardship.people.models import User, system_user
    from stewardship.roles.assign import assign
    from stewardship.roles.matrix import define_role

    system = system_user()
    define_role(actor=system, slug="everything", name="everything", rights=dict.fromkeys(all_rights(), "R"))
    with acting(system, "Benchmark"):
        user = User.objects.create_user("everyone", "everyone@bank.example", None)
    assign(actor=system, role="everything", user=user, region=cast.regions["global"], rationale="Benchmark")
    return user


def visit(client: Any, url: str) -> tuple[int, float]:
    """Most statements and most kilobytes over the tabs of a page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    queries, size = 0, 0.0
    tabs = (client.get(url).context or {}).get("tabs") or ()
    for tab in ["", *(f"?tab={tab.name}" for tab in tabs)]:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(url + tab)
        queries = max(queries, sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")) for one in asked))
        size = max(size, len(answer.getvalue()) / 1024)
    return queries, size


def main() -> int:
    """Set up, measure, tear down."""
    with database():
        cast = populate(MODELS, USERS)
        what_people_see(cast, one_full_model(cast))
        analyze()
        measure(cast)
    return 0


if __name__ == "__main__":
    sys.exit(main())
