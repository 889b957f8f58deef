"""A real browser against a live server. What the console says, what leaves the machine and what axe finds fail the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from stewardship.people.models import User
from tests.browser.visitor import WIDTHS, Visitor

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]

# A busy machine is slow, not wrong.
PATIENCE = 60_000  # milliseconds
expect.set_options(timeout=PATIENCE)

# Playwright's synchronous API runs a loop in this thread; Django would refuse the ORM beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """The live server starts before a test's own folder is there."""
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="module")  # no longer: its loop runs in this thread, and what comes after may run one of its own
def chromium() -> Iterator[Browser]:
    """One Chromium for a file of tests; skipped by name where there is none."""
    if not CHROMIUM:
        pytest.skip("Chromium is not installed (set CHROMIUM to its path).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def _session(user: User | None) -> list[dict[str, str]]:
    if user is None:
        return []
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return [{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}]


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer) -> Iterator[Any]:
    """`visit(user, scheme="dark", width="phone", scripts=False)` gives a Visitor who is signed in (or nobody, for None)."""
    contexts: list[BrowserContext] = []

    def start(user: User | None = None, *, scheme: Any = "light", width: str = "desk", scripts: bool = True) -> Visitor:
        context = chromium.new_context(
            viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, java_script_enabled=scripts, reduced_motion="reduce"
        )
        context.add_cookies([{**cookie, "url": live_server.url} for cookie in _session(user)])  # type: ignore[typeddict-item]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return Visitor(context, live_server.url)

    yield start
    for context in contexts:
        context.close()
