"""The worked example, built by real processes in a folder of its own: complete, journalled, repeatable, and the tour through it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.processes import empty_database

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600  # seconds; generous, because a loaded machine is no failure
pytestmark = pytest.mark.process


# Who comes to the portal, and the role that stands for each in the example.
KINDS = {
    "a model owner": "model-owner",
    "a technical lead": "technical-lead",
    "a data steward": "data-steward",
    "a data engineer": "data-engineer",
    "a data scientist": "data-scientist",
    "a platform engineer": "platform-engineer",
    "an approver of risk": "risk-officer",
    "an approver of security": "security-specialist",
    "an approver of compliance, and the compliance officer": "compliance-specialist",
    "an approver of product": "product-owner",
    "an operational responder": "operational-responder",
    "a regional admin": "regional-admin",
    "an executive": "executive",
    "an external auditor": "external-auditor",
}
REGIONS = {
    "global": None,
    "emea": "global", "eu": "emea", "de": "eu", "fr": "eu", "uk": "emea",
    "amer": "global", "us": "amer",
    "apac": "global", "jp": "apac", "sg": "apac",
}  # fmt: skip


class Example:
    """An installation in a temporary folder, reached by the commands that people use."""

    def __init__(self, folder: Path, port: int, database: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in ("BASE_URL", "EMAIL_URL", "SECRET_KEY")}
        origin = "example.concordat.invalid"
        self.folder, self.port = folder, port
        self.environment = kept | {
            "VAR": str(folder),
            "DATABASE_URL": database,
            "PORT": str(port),
            "JOURNAL_ORIGIN": origin,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def run(self, *arguments: str, wanted: int = 0) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments in the installation."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == wanted, f"{arguments} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Built once for this module."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("example")
    with empty_database(folder, "example") as database:
        made = Example(folder, port, database)
        made.run("manage.py", "migrate", "-v", "0")
        made.run("manage.py", "collectstatic", "--noinput", "-v", "0")
        made.run("-m", "demo.build")
        yield made


@pytest.fixture(scope="module")
def seen(example: Example) -> dict[str, Any]:
    """What is in it, before the tour."""
    found: dict[str, Any] = json.loads(example.run("-m", "tests.demo.looks").stdout)
    return found


def test_its_regions_are_one_tree(seen: dict[str, Any]) -> None:
    assert seen["regions"] == REGIONS


def test_there_is_somebody_of_each_kind(example: Example) -> None:
    users = json.loads((example.folder / "demo.json").read_text())["users"]
    held = {role.partition("@")[0] for user in users for role in user["roles"]}
    assert [kind for kind, role in KINDS.items() if role not in held] == []
    assert all(user["username"] and user["password"] for user in users)


def test_it_holds_the_whole_organisation(seen: dict[str, Any]) -> None:
    assert seen["families"] == 12
    assert sum(seen["models"].values()) == 40
    assert set(seen["models"]) == {"concept", "development", "validation", "monitoring", "retired"}
    assert seen["people"] == 25
    assert seen["unaccounted"] == []


def test_the_journal_tells_it_in_the_order_in_which_it_happened(seen: dict[str, Any]) -> None:
    assert seen["out_of_order"] == []


def test_it_tells_of_refusals_waivers_deadlines_and_alarms(seen: dict[str, Any]) -> None:
    changes, alerts = seen["changes"], seen["alerts"]
    assert changes["retraining/rejected"] == 1
    assert len(seen["refusals"]) >= 1
    assert all(seen["refusals"]), "each says why"
    assert changes["waiver/approved"] == seen["waivers"] == 1
    assert changes["rollback/implemented"] == 1
    assert changes["retraining/submitted"] >= 5
    assert {"act/open", "act/acknowledged", "investigate/investigating", "observe/open"} <= set(alerts)
    assert seen["resolutions"]["false_alarm"] == 1
    assert seen["met_late"] >= 1
    assert seen["missed"] >= 1
    assert seen["runs"]["approval/stopped"] >= 1
    assert seen["runs"]["approval/running"] >= 1
    assert seen["gaps"] >= 1


def test_the_real_model_waits_for_the_tour(seen: dict[str, Any]) -> None:
    assert seen["real"] == ["1.0.0"]
    assert seen["real_live"] == ["de", "us"]


def test_each_history_begins_first_and_makes_only_known_steps(seen: dict[str, Any]) -> None:
    assert seen["without_transitions"] == []
    assert len(seen["nouns"]) >= 10
    assert seen["wrong"] == {}


def test_no_decision_without_a_consumed_token(seen: dict[str, Any]) -> None:
    assert seen["decisions"] > 100
    assert seen["unsigned"] == 0


def test_its_journal_verifies(example: Example, seen: dict[str, Any]) -> None:
    assert "everything is as it was written" in example.run("manage.py", "journal", "verify").stdout


def test_a_second_build_changes_nothing(example: Example, seen: dict[str, Any]) -> None:
    before = (example.folder / "demo.json").read_bytes()
    example.run("-m", "demo.build")
    assert (example.folder / "demo.json").read_bytes() == before
    again = json.loads(example.run("-m", "tests.demo.looks").stdout)
    assert again == seen


def test_every_link_leads_somewhere_and_no_page_is_dear(example: Example, seen: dict[str, Any]) -> None:
    # The statements are the same on every database, so that one of them is asked as three people.
    people = ("gemma", "bella", "victor") if "postgres" not in example.environment["DATABASE_URL"] else ("bella",)
    found = json.loads(example.run("-m", "tests.demo.crawl", *people).stdout)
    assert {"change_detail", "model_detail", "history", "alert_detail"} <= set(found["bella"]["kinds"])
    assert {name: one["lost"] for name, one in found.items() if one["lost"]} == {}
    assert {name: one["dear"] for name, one in found.items() if one["dear"]} == {}


def test_what_is_needed_to_sign_in_is_for_its_owner_only(example: Example) -> None:
    path = example.folder / "demo.json"
    assert path.stat().st_mode & 0o777 == 0o600
    users = json.loads(path.read_text())["users"]
    assert {"anna", "tomasz", "victor", "ruth", "otto", "clara", "pipeline"} <= {user["username"] for user in users}
    assert all(user["token"].startswith("cnc_") for user in users)


@pytest.fixture
def portal(example: Example, seen: dict[str, Any]) -> Iterator[Example]:
    """The example, served by the real supervisor."""
    process = subprocess.Popen([sys.executable, "-m", "config.supervisor"], cwd=ROOT, env=example.environment, start_new_session=True)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with urlopen(f"http://127.0.0.1:{example.port}/healthz", timeout=5):
                    break
            except (URLError, OSError):
                time.sleep(0.5)
        yield example
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def test_the_tour_succeeds_once_and_says_so_the_second_time(portal: Example) -> None:
    told = portal.run("-m", "demo.tour").stdout
    assert "everything went as it should" in told
    assert "The same file with one bit changed: Tampered" in told
    assert "has been taken" in portal.run("-m", "demo.tour").stdout
    assert "everything is as it was written" in portal.run("manage.py", "journal", "verify").stdout


def test_the_tour_says_when_nothing_answers(example: Example, tmp_path: Path) -> None:
    alone = Example(tmp_path, 9, "")  # the discard port: nobody serves a portal there
    (tmp_path / "demo.json").write_bytes((example.folder / "demo.json").read_bytes())
    refused = alone.run("-m", "demo.tour", wanted=1)
    assert "Start the portal first" in refused.stderr
