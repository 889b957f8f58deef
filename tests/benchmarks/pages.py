"""Every page of the portal on a full database: how many statements it asks and how large it is.

`python -m tests.benchmarks.pages`; PAGES_MODELS changes the size (default 10,000). A page of one object shows the newest
object of its kind. Every tab of a page is measured; the largest counts.
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
    """Where the page is, of the newest object of its kind; None when there is no such object."""
    from django.urls import reverse

    if not arguments:
        return reverse(name)
    model = getattr(view, "model", None)
    if arguments == ["pk"] and model is not None:
        field = next((name for name in ("registered_at", "opened_at", "at") if name in {field.name for field in model._meta.fields}), "pk")
        newest = model._default_manager.order_by(f"-{field}").first()
        return None if newest is None else reverse(name, args=[newest.pk])
    if name == "history":
        from stewardship.inventory.models import RegisteredModel

        newest = RegisteredModel.objects.get(slug="tumour-risk")
        return reverse(name, args=["stewardship.registeredmodel", newest.pk])
    return None


def measure(cast: Any) -> None:
    """One line a page; statements and bytes of the worst of its tabs, for the first of several people who may open it."""
    from django.test import Client

    clients = []
    for username in ("dana", "alice", "frank", "bob"):
        clients.append(Client())
        clients[-1].force_login(cast.users[username])
    worst, largest, count, skipped = 0, 0.0, 0, []
    for name, view, arguments in sorted(pages(), key=lambda page: page[0]):
        url = address(name, view, arguments)
        # The first visit reads what is read once a process; its answer says who may open the page.
        client = next((client for client in clients if url and client.get(url).status_code == 200), None)
        if client is None or url is None:
            skipped.append(name)
            continue
        queries, size = visit(client, url)
        count, worst, largest = count + 1, max(worst, queries), max(largest, size)
        print(json.dumps({"page": name, "queries": queries, "kilobytes": round(size, 1)}), flush=True)
    note = f"worst of {count} pages at {MODELS} models; without a page here: {', '.join(skipped) or 'none'}"
    report("pages.queries", worst, "statements", QUERIES, note=note)
    report("pages.size", largest, "KB", KILOBYTES, note="uncompressed HTML")


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
        cast = populate(MODELS, 20)
        what_people_see(cast, one_full_model(cast))
        analyze()
        measure(cast)
    return 0


if __name__ == "__main__":
    sys.exit(main())
