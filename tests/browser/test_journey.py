"""The whole outcome in Chromium: four people and a pipeline take one model from registration to a proof in hand.

Against a real installation (gunicorn, tick and django-q2 under the supervisor, a migrated database); nothing in this
process touches the database. Each page on the way is looked at by axe in light and dark, and its console is read.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.installation import ROOT, Installation, installation
from tests.browser.visitor import BOTH, WIDTHS, Visitor
from tests.processes import empty_database

pytestmark = [pytest.mark.browser, pytest.mark.process]

DATA = Path(__file__).parents[1] / "governance" / "data"
PLACE = {"model": "tumour-risk", "environment": "production", "region": "de"}
DIGESTS = {"1.0.0": "a1" * 32, "1.1.0": "b2" * 32}


class Person:
    """Somebody who signs in through the page and works in one tab; every page they see is checked."""

    def __init__(self, context: BrowserContext, portal: Installation, name: str) -> None:
        self.portal, self.visitor = portal, Visitor(context, portal.base)
        self.page = self.visitor.open("/accounts/login/")
        self.look()
        self.page.get_by_label("Username").or_(self.page.locator("input[name=login]")).first.fill(name)
        self.page.locator("input[name=password]").fill(portal.password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator(".sidebar-person")).to_be_attached()
        self.look()

    def look(self) -> None:
        """What is on the screen now is clean, in light and in dark."""
        self.visitor.check(self.page, BOTH)

    def go(self, path: str) -> Page:
        """Open an address and look at it."""
        self.visitor.go(self.page, path)
        self.look()
        return self.page

    def press(self, name: str) -> Page:
        """Press a button or follow a link of this name, and look at where it leads."""
        page = self.page
        with page.expect_navigation():
            page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("link", name=name, exact=True)).first.click()
        self.look()
        return page

    def decides(self, change: str, outcome: str, comment: str) -> None:
        """Decide on a change from its own page, signed with the password."""
        self.go(change)
        bar = self.page.locator(".decision-bar")
        bar.locator("[name=comment]").fill(comment)
        bar.locator("[name=credential]").fill(self.portal.password)
        self.press(outcome)
        expect(self.page.locator(".messages")).to_contain_text("Your decision is signed")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("portal")
    with empty_database(folder, "portal") as database, installation(folder, database) as started:
        yield started


@pytest.fixture
def sign_in(chromium: Browser, portal: Installation) -> Iterator[Callable[..., Person]]:
    """`sign_in("alice", width="phone")` gives a Person with a browser profile of their own."""
    contexts: list[BrowserContext] = []

    def start(name: str, width: str = "desk") -> Person:
        contexts.append(chromium.new_context(viewport={"width": WIDTHS[width], "height": 900}, reduced_motion="reduce"))
        contexts[-1].set_default_timeout(PATIENCE)
        return Person(contexts[-1], portal, name)

    yield start
    for context in contexts:
        context.close()


def agreed(answer: tuple[int, Any], status: int) -> Any:
    """The document of an answer that has this status."""
    assert answer[0] == status, answer
    return answer[1]


def pushes_a_version(portal: Installation, label: str) -> None:
    """CI registers a version and pushes what its evaluation and its tests wrote."""
    agreed(portal.call("POST", "/api/v1/versions/", {"model": "tumour-risk", "label": label, "digest": DIGESTS[label]}), 201)
    for kind, name in (("metrics", "metrics.json"), ("junit", "junit.xml")):
        sent = portal.call("POST", "/api/v1/evidence/", {"version": DIGESTS[label], "kind": kind}, files={"file": DATA / label / name})
        assert agreed(sent, 201)["problem"] == ""


def asks_the_gate(portal: Installation, label: str) -> Any:
    return agreed(portal.call("POST", "/api/v1/gate/", {**PLACE, "version": label}), 200)


def deploys(portal: Installation, label: str, permit: str) -> None:
    """The pipeline carries out what the gate allowed."""
    agreed(portal.call("POST", "/api/v1/deployments/", {**PLACE, "version": label, "permit": permit}), 201)
    live = agreed(portal.call("GET", "/api/v1/deployments/?model=tumour-risk&live=true"), 200)["results"]
    assert [row["version"] for row in live] == [label]


def drifts(portal: Installation, label: str) -> None:
    """Three hourly windows, each worse than the one before; the last one is above the bound for acting."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    windows = [
        {
            **PLACE, "id": f"hour-{hour}", "version": label, "metric": "drift", "method": "wasserstein", "value": value, "n": 60,
            "start": (start + timedelta(hours=hour)).isoformat(), "end": (start + timedelta(hours=hour + 1)).isoformat(),
        }
        for hour, value in enumerate((0.04, 0.15, 0.46))
    ]  # fmt: skip
    agreed(portal.call("POST", "/api/v1/signals/", {"source": "watch", "signals": windows}), 202)


def verify(portal: Installation, file: Path) -> int:
    """`./concordat verify`: no database, no network; 0 good, 1 tampered."""
    command = [sys.executable, "-m", "governance.audits.verify_cli", str(file), "--trust", str(portal.folder / "trust.json")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode


def reviewed(model: str, label: str, alice: Person, bob: Person, kate: Person, *, before: str = "") -> None:
    """The owner opens a change and submits it; the validator decides on a phone, then the risk officer at a desk."""
    page = alice.go(f"{model}changes/new/")
    page.locator("[name=version]").select_option(label=label)
    page.locator("[name=environment]").select_option(label="Production")
    page.locator("[name=region]").select_option(label="Germany")
    page.locator("[name=rationale]").fill("It misses fewer malignant cases than what runs now.")
    page.locator("[name=rollout_plan]").fill("All traffic at once, on Tuesday morning.")
    if before:
        page.locator("[name=rollback_version]").select_option(label=before)
    page.locator("[name=rollback_trigger]").fill("Drift above 0.3, or recall below 0.85.")
    page.locator("[name=rollback_steps]").fill("Deploy what ran before, with its permit.")
    alice.press("Save as draft")
    change = path_of(page)
    alice.press("Submit for approval")
    expect(page.locator(".messages")).to_contain_text("Those who must agree have been told")
    bob.go("/changes/?tab=waiting").locator("table.rows tbody a").first.click()
    bob.page.wait_for_url(f"**{change}")
    expect(bob.page.locator(".finding.met")).to_have_count(2)
    bob.decides(change, "Approve", "The intervals are narrow enough.")
    kate.decides(change, "Approve", "Within our appetite.")
    expect(alice.go(change).locator(".page-meta")).to_contain_text("approved", ignore_case=True)


def path_of(page: Page) -> str:
    """The address of a page within the portal."""
    return urlsplit(page.url).path


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} within {seconds} s"
        time.sleep(0.2)


def test_from_registration_to_a_proof_in_hand(portal: Installation, sign_in: Callable[..., Person], tmp_path: Path) -> None:
    # The owner registers the model.
    alice = sign_in("alice")
    page = alice.go("/models/new/")
    page.get_by_label("Name", exact=True).fill("Tumour risk")
    page.get_by_label("Short name").fill("tumour-risk")
    page.get_by_label("Family").select_option(label="Tumour triage")
    page.get_by_label("Region").select_option(label="Germany")
    page.get_by_label("Purpose").fill("Gives the probability that a mass is malignant.")
    alice.press("Register")
    model = path_of(page)
    expect(page.locator("h1")).to_contain_text("Tumour risk")

    # The first version is reviewed and deployed; from then on something runs that a new one must be better than.
    bob, kate = sign_in("bob", width="phone"), sign_in("kate")
    pushes_a_version(portal, "1.0.0")
    reviewed(model, "1.0.0", alice, bob, kate)
    deploys(portal, "1.0.0", asks_the_gate(portal, "1.0.0")["permit"])

    # The gate refuses the next version until its change is approved, and says what is missing.
    pushes_a_version(portal, "1.1.0")
    refused = asks_the_gate(portal, "1.1.0")
    assert refused["verdict"] == "deny"
    assert refused["reasons"][0]["remedy"]
    assert not refused["permit"]
    reviewed(model, "1.1.0", alice, bob, kate, before="1.0.0")
    allowed = asks_the_gate(portal, "1.1.0")
    assert allowed["verdict"] == "allow", allowed
    deploys(portal, "1.1.0", allowed["permit"])

    # It drifts. The responder is called by mail, acknowledges, and nobody else is called.
    drifts(portal, "1.1.0")
    until(lambda: "To: ivan@bank.example" in portal.mail(), "the responder's e-mail")
    ivan = sign_in("ivan")
    ivan.go("/alerts/").locator("table.rows tbody a").first.click()
    ivan.page.wait_for_url("**/alerts/*-*/")
    ivan.look()
    expect(ivan.page.locator("h1")).to_contain_text("Act")
    ivan.press("Acknowledge")
    expect(ivan.page.locator(".messages")).to_contain_text("Nobody else is called")

    # The way back was drafted from the alert; the owner submits it, the validator approves, 1.0.0 runs again.
    alice.go("/changes/?tab=all").get_by_role("link", name=re.compile("CR-3")).first.click()
    page.wait_for_url("**/changes/*-*/")
    alice.look()
    rollback = path_of(page)
    expect(page.locator(".columns aside a[href*='/alerts/']")).to_have_count(1)  # its origin
    alice.press("Submit for approval")
    bob.decides(rollback, "Approve", "Agreed: go back until it is retrained.")
    again = asks_the_gate(portal, "1.0.0")
    assert again["verdict"] == "allow", again
    deploys(portal, "1.0.0", again["permit"])

    # The compliance officer asks for the report, takes it away, and checks it without the portal.
    dana = sign_in("dana")
    dana.go(f"{model}report/")
    dana.press("Make the report")
    expect(dana.page.locator("h1")).to_contain_text("is ready", timeout=2 * PATIENCE)
    dana.look()
    with dana.page.expect_download() as download:
        dana.page.get_by_role("link", name="Download the sealed PDF").click()
    report = tmp_path / "report.pdf"
    download.value.save_as(report)
    assert verify(portal, report) == 0
    content = bytearray(report.read_bytes())
    content[len(content) // 3] ^= 1
    (tmp_path / "changed.pdf").write_bytes(content)
    assert verify(portal, tmp_path / "changed.pdf") == 1
