"""Every page, as each kind of person sees it: light and dark, at a desk and on a phone, full and empty.

A new page without a row in `world.py` fails here. axe looks at each arrangement of elements once: what two people see
with the same elements and classes, and other words, has the same faults.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.urls import reverse
from playwright.sync_api import Error, Page, expect

from governance.changes.models import ChangeRequest
from stewardship.people.models import User
from tests.browser import world
from tests.browser.visitor import ABOUT_COLOUR, BOTH, WIDTHS, Visitor, objections
from tests.cast import PASSWORD, Cast

# Not measured: tracing takes as long as the walk, and each page has tests of its own.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.no_cover]

# The kinds of people of the product, whoever sees most first.
PEOPLE = ("alice", "bob", "frank", "dana", "erin", "ivan", "charlie")

# Which elements with which classes lie in which, and by how much the page is wider than its window.
LOOK = """() => {
  const kinds = new Set();
  for (const node of document.querySelectorAll("main *, .decision-bar *")) {
    const say = (one) => `${one.tagName}.${[...one.classList].sort().join(".")}[${one.getAttribute("role") || one.type || ""}]`;
    kinds.add(`${say(node.parentElement)}>${say(node)}`);
  }
  const root = document.documentElement;
  return [[...kinds].sort().join(" "), root.scrollWidth - root.clientWidth];
}"""


class Walk:
    """Goes through pages, and remembers which arrangements axe has seen at which width, whoever looked at them in this run."""

    seen: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.faults: list[str] = []

    def through(self, addresses: dict[str, str]) -> None:
        """Open each address in one tab; what is wrong is collected, so that one run tells everything."""
        page = self.visitor.new_page()
        for name, path in addresses.items():
            try:
                answer = page.goto(self.visitor.base + path)
            except Error as error:  # an answer without a page
                self.faults.append(f"{name}: {path} {error.message}")
                continue
            assert answer is not None
            if answer.status not in {200, 403, 404}:
                self.faults.append(f"{name}: {path} answered {answer.status}")
            for width in WIDTHS:  # loaded once: what is narrow is styled, never served, otherwise
                page.set_viewport_size({"width": WIDTHS[width], "height": 900})
                self._look(f"{name} ({width})", width, page)
        page.close()

    def _look(self, name: str, width: str, page: Page) -> None:
        said, self.visitor.complaints[:] = list(self.visitor.complaints), []
        self.faults += [f"{name}: {complaint}" for complaint in said]
        shape, wider = page.evaluate(LOOK)
        if wider > 0:
            self.faults.append(f"{name}: {wider} px too wide at {WIDTHS[width]} px")
        if (width, shape) in self.seen:
            return
        self.seen.add((width, shape))
        # How wide it is moves things, and colours nothing.
        found = objections(page, BOTH) if width == "desk" else objections(page, without=ABOUT_COLOUR)
        self.faults += [f"{name}: {fault}" for fault in found]
        self.visitor.complaints.clear()  # axe's own style sheets, which the policy refuses


@pytest.fixture
def full(cast: Cast) -> world.World:
    return world.full(cast)


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_for_every_kind_of_person(visit: Any, full: world.World, name: str) -> None:
    walk = Walk(visit(full.cast.users[name]))
    walk.through(world.paths(full))
    assert not walk.faults, "\n".join(walk.faults)


@pytest.mark.parametrize("name", ["frank", "dana"])
def test_the_configuration_of_who_configures(visit: Any, full: world.World, name: str) -> None:
    user = full.cast.users[name]
    walk = Walk(visit(user))
    walk.through({path: path for path in world.configuration(user)})
    assert not walk.faults, "\n".join(walk.faults)


def test_a_portal_in_which_nothing_happened_yet(visit: Any, cast: Cast) -> None:
    lists = {name: reverse(name) for name in world.page_names() if name not in world.OBJECTS and name not in {"history", "index"}}
    walk = Walk(visit(cast.users["alice"]))
    walk.through(lists)
    assert not walk.faults, "\n".join(walk.faults)


def test_deciding_without_scripts(visit: Any, full: world.World, bob: User) -> None:
    page = visit(bob, scripts=False).open(full.change.get_absolute_url())
    expect(page.locator("main")).to_contain_text("It misses fewer malignant cases.")
    expect(page.locator(".trace .finding")).not_to_have_count(0)
    bar = page.locator(".decision-bar")
    bar.locator("[name=comment]").fill("Agreed.")
    bar.locator("[name=credential]").fill("not my password")
    bar.get_by_role("button", name="Approve").click()
    expect(page.locator(".decision-bar")).to_contain_text("password", ignore_case=True)
    page.locator(".decision-bar [name=credential]").fill(PASSWORD)
    page.locator(".decision-bar").get_by_role("button", name="Approve").click()
    expect(page.locator(".messages")).to_contain_text("Your decision is signed")
    assert [(each.person, each.comment) for each in ChangeRequest.objects.get(pk=full.change.pk).decisions.all()] == [(bob, "Agreed.")]


@pytest.mark.parametrize("path", ["/", "/changes/?tab=all", "/models/"])
def test_a_list_is_walked_with_the_keyboard(visit: Any, full: world.World, bob: User, path: str) -> None:
    page = visit(bob).open(path)
    page.keyboard.press("j")
    focused = page.locator("a:focus")
    expect(focused).to_be_visible()
    address = focused.get_attribute("href")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused.get_attribute("href") == address
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")


def test_whatever_has_the_focus_shows_it(visit: Any, full: world.World, bob: User) -> None:
    page = visit(bob).open(full.change.get_absolute_url())
    unseen = []
    for _step in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => { const node = document.activeElement, look = getComputedStyle(node);
            return node === document.body || (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2)
              ? "" : node.outerHTML.slice(0, 120); }"""
        )
        unseen += [told] if told else []
    assert unseen == []
