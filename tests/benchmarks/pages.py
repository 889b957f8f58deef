"""Every page and configuration screen of the portal on a full database: how many statements it asks and how large it is.

`python -m tests.benchmarks.pages`; PAGES_MODELS changes the size (default 10,000), PAGES_USERS the number of people (1,000).
A page of one object is measured for the newest object of each kind and status there is. Every tab of a page is measured;
the largest counts, the first look included.
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


def addresses(name: str, view: Any, arguments: list[str]) -> list[str]:
    """Where the page is: of one object of each sort, of tumour-risk where that is a model; none without such an object."""
    from django.urls import reverse

    from stewardship.inventory.models import RegisteredModel

    if not arguments:
        return [reverse(name)]
    full = RegisteredModel.objects.get(slug="tumour-risk")
    model = RegisteredModel if name == "change_new" else getattr(view, "model", None)
    if name == "history":
        return [reverse(name, args=["stewardship.registeredmodel", full.pk])]
    if arguments != ["pk"] or model is None:
        return []
    rows = [full] if model is RegisteredModel else of_each_sort(model._default_manager.all())
    return [reverse(name, args=[row.pk]) for row in rows]


def of_each_sort(rows: Any) -> list[Any]:
    """The newest row of each kind and status."""
    names = {field.name for field in rows.model._meta.fields}
    newest = next((name for name in ("registered_at", "opened_at", "at") if name in names), "pk")
    sorts = [name for name in ("kind", "status") if name in names]
    found = list(rows.order_by().values(*sorts).distinct()[:30]) if sorts else [{}]
    return [row for sort in found if (row := rows.filter(**sort).order_by(f"-{newest}").first()) is not None]


def screens() -> Iterator[tuple[str, list[str]]]:
    """Name and addresses of each configuration screen: its list, its empty form, a row of each sort."""
    from django.contrib import admin
    from django.urls import reverse

    yield "admin:index", [reverse("admin:index")]
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label_lower):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield f"{name}_changelist", [reverse(f"{name}_changelist")]
        yield f"{name}_add", [reverse(f"{name}_add")]
        rows = of_each_sort(model._default_manager.filter(**SHOWN.get(name, {})))
        if rows:
            yield f"{name}_change", [reverse(f"{name}_change", args=[row.pk]) for row in rows]


# Which rows a screen shows, where it does not show all.
SHOWN: dict[str, dict[str, Any]] = {"admin:stewardship_delivery": {"notice__channel": "email"}}

# What is no page of its own here, and why.
NO_PAGE = {
    **dict.fromkeys(
        ("notice_open", "token_revoke", "report_file", "report_bundle", "file_download", "change_submit", "change_gate"), "leads elsewhere"
    ),
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
        clients[-1].get("/me/")  # the first request of a session renews it
    worst, largest, count, skipped = 0, 0.0, 0, []
    found = [(name, addresses(name, view, arguments)) for name, view, arguments in pages()]
    for name, urls in sorted([*found, *screens()]):
        seen = [visited for url in urls if (visited := visit(clients, url)) is not None]
        if not seen:
            # An empty form that nobody may fill is none.
            skipped += [name] if name not in NO_PAGE and not name.endswith("_add") else []
            continue
        queries, size = max(each[0] for each in seen), max(each[1] for each in seen)
        count, worst, largest = count + len(seen), max(worst, queries), max(largest, size)
        print(json.dumps({"page": name, "of": len(seen), "queries": queries, "kilobytes": round(size, 1)}), flush=True)
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


def visit(clients: list[Any], url: str) -> tuple[int, float] | None:
    """Most statements and most kilobytes over the tabs of a page, for the first who may open it; None when nobody may."""
    for client in clients:
        answer, queries, size = look(client, url)
        if answer.status_code == 200:
            tabs = [look(client, f"{url}?tab={tab.name}") for tab in (answer.context or {}).get("tabs") or ()]
            return max([queries, *(each[1] for each in tabs)]), max([size, *(each[2] for each in tabs)])
    return None


def look(client: Any, url: str) -> tuple[Any, int, float]:
    """The answer, its statements and its kilobytes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(url)
    return answer, len(asked), len(answer.getvalue()) / 1024


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
