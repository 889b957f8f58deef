"""A person at a browser: opens pages, and remembers whatever should not have happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

Scheme = Literal["light", "dark"]
BOTH: tuple[Scheme, Scheme] = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ABOUT_COLOUR = ["color-contrast", "link-in-text-block"]
# Only what is wrong is brought here: a page has thousands of places at which nothing is.
ASK = """async ([rules, without]) => (await axe.run({
    runOnly: rules, rules: Object.fromEntries(without.map((rule) => [rule, {enabled: false}])), resultTypes: ["violations"], preload: false,
  })).violations
  .filter((rule) => rule.impact !== "minor").map((rule) => [rule.id, rule.impact, rule.nodes.slice(0, 3).map((node) => node.target)])"""
WIDTHS = {"desk": 1440, "phone": 390}


@dataclass
class Visitor:
    """One browser profile on one portal; its console and its requests are watched from the start."""

    context: BrowserContext
    base: str
    complaints: list[str] = field(default_factory=list)

    def new_page(self) -> Page:
        """An empty page whose console and requests are watched."""
        page = self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self._request)
        return page

    def open(self, path: str, *, expect: int = 200) -> Page:
        """The page at this path in a tab of its own, loaded."""
        page = self.new_page()
        self.go(page, path, expect=expect)
        return page

    def go(self, page: Page, path: str, *, expect: int = 200) -> None:
        """Type this address into the tab."""
        response = page.goto(self.base + path)
        assert response is not None
        assert response.status == expect, f"{path} answered {response.status}"

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium reports an expected 4xx page as a console error of its own.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.complaints.append(f"left the machine: {request.url}")

    def check(self, page: Page, schemes: tuple[Scheme, ...] = ()) -> None:
        """Nothing in the console, nothing from elsewhere, no sideways scrolling, nothing that axe objects to.

        In the colours of the profile, or in each of `schemes`.
        """
        found = list(self.complaints)  # before axe, whose own style sheets the policy refuses
        assert found == [], f"{page.url}: {found}"
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{page.url} is {wider} px too wide"
        assert (told := objections(page, schemes)) == [], f"{page.url}: {told}"
        self.complaints.clear()


def objections(page: Page, schemes: Sequence[Scheme] = (), *, without: Sequence[str] = ()) -> list[tuple[str, str, list[Any]]]:
    """What axe finds wrong: rule, impact with the colours, and the first places; in the colours as set, or in each of `schemes`.

    All rules but `without` are asked in the first scheme, and those about colour in the next, which changes nothing else. What axe
    calls minor (a nameless column) is Django's own inline.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[tuple[str, str, list[Any]]] = []
    rules = RULES
    for scheme in schemes or (None,):
        if scheme is not None:
            page.emulate_media(color_scheme=scheme)
        found += [
            (rule, f"{impact}, {scheme or 'colours as set'}", places) for rule, impact, places in page.evaluate(ASK, [rules, [*without]])
        ]
        rules = ABOUT_COLOUR
    return found
