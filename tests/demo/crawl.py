"""Follows every link of the example's pages as some of its people, in a process of its own, and prints as JSON what went wrong.

A few pages of each kind are opened: what differs between pages of one kind is their content, and the example has many of each.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import deque
from typing import Any

MOST_QUERIES, MOST_BYTES = 20, 60 * 1024
A_FEW = 3  # pages of one kind, and of it with something chosen in its address
LINK = re.compile(r'href="(/[^"#]*)')


def kind_of(url: str) -> str:
    """The name of the view behind an address, and whether something is chosen in it; empty for what no view answers."""
    from django.urls import Resolver404, resolve

    path, _mark, query = url.partition("?")
    try:
        return resolve(path).view_name + ("?" if query else "")
    except Resolver404:
        return ""


def crawl(username: str) -> dict[str, Any]:
    """Begin at the inbox and go on until nothing new is linked."""
    from django.db import connection, reset_queries
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from stewardship.people.models import User

    client = Client()
    client.force_login(User.objects.get(username=username))
    client.get("/me/")  # the first request of a session renews it, which is no part of a page's price
    waiting, met, opened = deque(["/"]), {"/"}, dict[str, int]()
    dear: list[str] = []
    lost: list[str] = []
    while waiting:
        url = waiting.popleft()
        kind = kind_of(url)
        if not kind or opened.get(kind, 0) >= A_FEW or "logout" in kind:
            continue
        opened[kind] = opened.get(kind, 0) + 1
        reset_queries()
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(url)
        if answer.status_code >= 400:
            lost.append(f"{answer.status_code} {url}")
        if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
            continue
        if len(asked) > MOST_QUERIES or len(answer.content) > MOST_BYTES:
            dear.append(f"{len(asked)} statements, {len(answer.content)} bytes: {url}")
        found = (each.replace("&amp;", "&") for each in LINK.findall(answer.content.decode()))
        new = [each for each in dict.fromkeys(found) if each not in met]
        met.update(new)
        waiting.extend(new)
    return {"kinds": sorted(opened), "pages": sum(opened.values()), "dear": dear, "lost": lost}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    print(json.dumps({username: crawl(username) for username in sys.argv[1:]}))
