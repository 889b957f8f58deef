"""What a person may not see does not exist for them: it changes no letter of any page, list, count, export or choice.

Two proofs. First: every answer is the same before and after two other regions are filled, whatever it counts or offers. Second:
with any one `.allowed()` of the portal taken out, an answer differs, so the first proof would not let that pass.
"""

from __future__ import annotations

import difflib
import logging
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config.env import ROOT
from config.portal.permission import Restricted
from stewardship.journal.sequence import settle
from tests.cast import Cast
from tests.permission_check import Row, ask
from tests.permission_stock import PLACES, World, take_stock
from tests.permission_table import API, FRONT, MODEL, PAGES, SCREENS, screen_rows
from tests.permission_world import begin, furnish

pytestmark = pytest.mark.no_cover  # thousands of requests that other tests make once
HOME, ELSEWHERE = PLACES[0], PLACES[1:]
# Who sees one region: all of it, to look at or to work on; and who sees its models, but nothing that happens to them.
PEOPLE = ("viewer", "owner", "onlooker")
# Asked as well, because a table of statuses has no use for them.
MORE = (
    *(Row("GET", "model_detail", MODEL, query=f"?tab={tab}") for tab in ("dossier", "changes", "monitoring", "people", "history")),
    *(Row("GET", "change_list", query=f"?tab={tab}") for tab in ("waiting", "mine")),
    *(Row("GET", "palette", query=f"?q={word}") for word in ("model", "zz", "CR-")),
    *(Row("GET", name, query="?format=csv") for name in ("model_list", "change_list", "alert_list", "action_list", "gap_list", "run_list")),
    *(Row("GET", name, query="?q=zz") for name in ("model_list", "change_list", "alert_list")),
)
# Who is asking whom; and of the journal, the size and the root, which are open to all.
PASSING = re.compile(
    r'name="(?:csrfmiddlewaretoken|seal|subject)" value="[^"]*"|[\d,]+\s+entries|its root is <code[^>]*>[^<]*|"(?:published|next)":\d+'
    r'|name="starts" value="[^"]*"|The newest checkpoint was made <time[^>]*>[^<]*</time>'
)

# Shows the newest checkpoint, which anybody may fetch; that its entries are those in sight is held by test_journal_pages.
OPEN_TO_ALL = {"journal_list"}

Key = tuple[str, str, str]  # route with its query and what it is about, kind of person, place
Site = tuple[str, int, str]  # file, line and noun of an `.allowed()`


def name_of(row: Row) -> str:
    return f"{row.route}{row.query} {row.of}"


def rows() -> Iterator[Row]:
    """Everything that can be looked at, by page, program and configuration screen."""
    seen = set()
    for row in (*PAGES, *API, *FRONT, *MORE, *(row for label, screen in SCREENS.items() for row in screen_rows(label, screen))):
        name = name_of(row)
        if row.method == "GET" and name not in seen and not row.to_all:
            seen.add(name)
            yield row


def answer(world: World, row: Row, kind: str, place: str) -> str:
    """Status and text, without what passes."""
    response, text = ask(world, row, kind, place)
    return f"{response.status_code}\n{PASSING.sub('·', text)}"


def answers(world: World, places: tuple[str, ...]) -> Iterator[tuple[Key, Row, str]]:
    """Each row as each person gets it, about the objects in these places."""
    for row in rows():
        for kind in PEOPLE:
            found = world.rows[row.of] if row.of else {}
            for place in ("",) if not row.of or found.get("") else places:
                yield (name_of(row), kind, place), row, answer(world, row, kind, place)


@pytest.fixture
def home(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One region is filled; its journal is signed once."""
    world = begin(cast)
    furnish(world, HOME)
    take_stock(world)
    settle()
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)  # so that no deadline comes nearer between two answers
    monkeypatch.setattr("stewardship.journal.middleware._sequence", lambda: None)
    monkeypatch.setattr("governance.audits.request.settle", lambda: None)
    logging.disable(logging.CRITICAL)  # hundreds of refusals are expected
    yield world
    logging.disable(logging.NOTSET)


def fill_elsewhere(world: World) -> None:
    for place in ELSEWHERE:
        furnish(world, place)
    take_stock(world)
    settle()


def first_difference(before: str, after: str) -> str:
    changed = [
        line for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0) if line[:3] not in ("---", "+++")
    ]
    return " | ".join(line.strip()[:160] for line in changed[1:5])


def test_what_is_elsewhere_changes_nothing(home: World) -> None:
    before = {key: text for key, row, text in answers(home, (HOME,)) if row.route not in OPEN_TO_ALL}
    fill_elsewhere(home)
    after = {key: text for key, _row, text in answers(home, (HOME,))}
    wrong = [f"{key}: {first_difference(before[key], after[key])}" for key in before if before[key] != after[key]]
    assert not wrong, "\n".join(["", *wrong[:60], f"{len(wrong)} in all"])


# --- each `.allowed()` counts ---------------------------------------------------------------------

OURS = tuple(f"{ROOT}/{floor}/" for floor in ("config", "stewardship", "monitoring", "governance"))
# The one question itself, and what only asks it on behalf of others.
ASKS_FOR_OTHERS = ("config/portal/permission.py", "stewardship/access/")
# The configuration screens have rows of their own for every noun, sent forms included (tests/test_permissions.py).
SCREENS_OWN = ("config/portal/admin.py",)


def site_of(noun: str) -> Site | None:
    """Which line of the portal has called `allowed()`; None for tests and for the question itself."""
    frame = sys._getframe(2)
    if frame.f_code.co_filename.endswith("django/db/models/manager.py") and frame.f_back is not None:  # X.objects.allowed()
        frame = frame.f_back
    name = frame.f_code.co_filename
    if not name.startswith(OURS):
        return None
    place = str(Path(name).relative_to(ROOT))
    return None if place.startswith((*ASKS_FOR_OTHERS, *SCREENS_OWN)) else (place, frame.f_lineno, noun)


def test_no_allowed_can_be_taken_out_unnoticed(home: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_elsewhere(home)
    honest = Restricted.allowed
    blinded: Site | None = None
    reached: set[Site] = set()

    def watched(self: Any, user: Any, right: str, at: Any = None) -> Any:
        site = site_of(self.model._meta.label)
        if site is not None:
            reached.add(site)
            if site == blinded:
                return self.all()
        return honest(self, user, right, at)

    monkeypatch.setattr(Restricted, "allowed", watched)
    usual: dict[Key, tuple[Row, str]] = {}
    askers: dict[Site, list[Key]] = defaultdict(list)
    for key, row, text in answers(home, PLACES):
        usual[key] = (row, text)
        for site in reached:
            askers[site].append(key)
        reached.clear()
    unnoticed = []
    for blinded in sorted(askers):
        if not any(answer(home, usual[key][0], *key[1:]) != usual[key][1] for key in _few(askers[blinded])):
            unnoticed.append(blinded)
    excused = {(file, noun) for file, _line, noun in unnoticed}
    assert not (left := [site for site in unnoticed if (site[0], site[2]) not in EQUIVALENT]), "\n".join(["", *map(str, left)])
    assert not (idle := sorted(set(EQUIVALENT) - excused)), f"need no excuse any more: {idle}"


def _few(keys: list[Key], most: int = 40) -> list[Key]:
    """Of many answers that need the same line those that could differ: each person, places out of sight first."""
    return sorted(keys, key=lambda key: (key[2] not in ELSEWHERE, key[1] != "onlooker"))[:most]


_AGAIN = "asked once more of rows that lie where the object of the page lies, whose right was asked first"
_OWN = "narrowed to the person's own rows as well"
_BOTH = "models that the person sees, of alerts that the person sees: each of the two hides what the other would let through"
_NOWHERE = "belongs to no region: whoever holds the right sees all of it, and whoever does not never comes so far"
UNSCOPED = ("Bound", "Clause", "DataDomain", "DecisionRight", "Environment", "Framework", "JournalEvent", "Role", "SeparationRule")
# (file, noun): why nothing differs here without it.
EQUIVALENT: Mapping[tuple[str, str], str] = {
    ("governance/approvals/waiting.py", "governance.ChangeRequest"): _OWN,
    ("governance/changes/panels.py", "governance.ChangeRequest"): _AGAIN,
    ("governance/risk/panels.py", "governance.Assessment"): _AGAIN,
    ("monitoring/alerts/pages.py", "monitoring.Alert"): _BOTH,
    ("monitoring/alerts/pages.py", "stewardship.RegisteredModel"): _BOTH,
    ("monitoring/alerts/panels.py", "monitoring.Series"): _AGAIN,
    ("monitoring/alerts/panels.py", "monitoring.Alert"): _OWN,
    ("monitoring/alerts/story.py", "stewardship.Run"): _AGAIN,
    (
        "monitoring/thresholds/admin.py",
        "stewardship.Region",
    ): "nobody here configures thresholds; in test_thresholds_override_admin somebody does",
    ("governance/portfolio/pages.py", "stewardship.ModelFamily"): "only whether the name of a family is a link: test_portfolio_cockpit",
    ("stewardship/threads/pages.py", "stewardship.Comment"): _AGAIN,
    ("stewardship/journal/sight.py", "monitoring.Metric"): _NOWHERE,
    **{("stewardship/journal/sight.py", f"stewardship.{name}"): _NOWHERE for name in UNSCOPED},
}
