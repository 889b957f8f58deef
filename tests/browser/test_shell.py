"""The frame in a real browser: keyboard, drawer, palette, themes, and no complaint from console or axe."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ("/me/", "/me/tokens/new/", "/palette/?q=a", "/configuration/", "/stewardship/region/", "/models/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desk", "phone"])
def test_every_page_of_the_shell_is_clean(visit: Any, frank: Any, scheme: str, width: str) -> None:
    visitor = visit(frank, scheme=scheme, width=width)
    for path in PAGES:
        page = visitor.open(path)
        visitor.check(page)
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_is_clean(visit: Any, frank: Any, scheme: str) -> None:
    visitor = visit(None, scheme=scheme, width="phone")
    for path in ("/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"):
        visitor.check(visitor.open(path))


def test_the_palette_opens_with_the_keyboard_and_goes_there(visit: Any, frank: Any) -> None:
    page = visit(frank).open("/me/")
    page.keyboard.press("Control+k")
    dialog = page.locator("dialog#palette")
    expect(dialog).to_be_visible()
    page.keyboard.type("Models")
    expect(dialog.locator("a.at .palette-title").first).to_have_text("Models")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/")


def test_the_drawer_works_without_scripts(visit: Any, frank: Any) -> None:
    page = visit(frank, width="phone", scripts=False).open("/me/")
    link = page.locator(".sidebar nav a").first
    expect(link).not_to_be_visible()
    page.locator("label.icon-button[for=drawer]").click()
    expect(link).to_be_visible()


def test_a_theme_is_chosen_without_scripts(visit: Any, frank: Any) -> None:
    page = visit(frank, scripts=False).open("/me/")
    page.locator("button[name=theme][value=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url.endswith("/me/")


def test_the_sidebar_narrows_and_stays_so(visit: Any, frank: Any) -> None:
    visitor = visit(frank)
    page = visitor.open("/me/")
    page.locator("[data-collapse]").click()
    assert page.locator(".sidebar").bounding_box()["width"] < 60
    visitor.check(visitor.open("/palette/"))
    assert visitor.open("/me/").locator("html").get_attribute("data-sidebar") == "collapsed"
