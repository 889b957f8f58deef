"""Frameworks are data: loaded, loaded again, effective from a day, in a region and below."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from config.portal.errors import Forbidden
from stewardship.frameworks.errors import BadFramework
from stewardship.frameworks.load import load
from stewardship.frameworks.models import Applicability, Clause, Framework, applicable
from stewardship.people.models import system_user
from tests.cast import Cast

DOCUMENT: dict[str, Any] = {
    "slug": "act-1",
    "name": "The Act",
    "jurisdiction": "Europe",
    "clauses": [{"ref": "9", "title": "Risk management", "summary": "Have some."}, {"ref": "14", "title": "Oversight"}],
    "applies": [{"region": "eu", "from": "2026-08-02", "until": "2030-01-01"}, {"region": "jp", "from": "2027-01-01"}],
}


def test_loading_twice_leaves_one_trace(cast: Cast) -> None:
    first = load(DOCUMENT, system_user())
    assert load(DOCUMENT, system_user()) == first
    assert [str(clause) for clause in first.clauses.all()] == ["The Act 14", "The Act 9"]
    assert {str(row) for row in Applicability.objects.all()} == {"The Act · EU", "The Act · Japan"}
    assert first.history.count() == 1
    assert Clause.history.count() == 2  # type: ignore[attr-defined]


def test_what_changed_is_saved_and_cited_clauses_stay(cast: Cast) -> None:
    framework = load(DOCUMENT, system_user())
    load({**DOCUMENT, "edition": "2", "clauses": [{"ref": "9", "title": "Managing risk"}]}, system_user())
    framework.refresh_from_db()
    assert framework.edition == "2"
    assert framework.clauses.get(ref="9").title == "Managing risk"
    assert framework.clauses.count() == 2
    second = load({"slug": "act-2", "name": "The New Act", "replaces": "act-1"}, system_user())
    assert second.replaces == framework


@pytest.mark.parametrize(
    ("region", "day", "names"),
    [
        ("de", "2026-08-01", []),
        ("de", "2026-08-02", ["The Act"]),
        ("de", "2030-01-01", []),
        ("jp", "2026-08-02", []),
        ("jp", "2040-01-01", ["The Act"]),
    ],
)
def test_where_and_from_when(cast: Cast, region: str, day: str, names: list[str]) -> None:
    load(DOCUMENT, system_user())
    assert [str(one) for one in applicable(cast.regions[region], date.fromisoformat(day))] == names


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"slug": ""}, "slug"),
        ({"slug": "no slug"}, "slug"),
        ({"replaces": "nothing"}, "replaces"),
        ({"clauses": [{"ref": "9"}]}, "clauses[0].title"),
        ({"clauses": ["9"]}, "clauses[0].ref"),
        ({"applies": [{"region": "mars", "from": "2026-01-01"}]}, "applies[0].region"),
        ({"applies": [{"region": "eu", "from": "soon"}]}, "applies[0].from"),
        ({"applies": [{"region": "eu"}]}, "applies[0].from"),
        ({"applies": [{"region": "eu", "from": "2026-01-01", "until": "2025-01-01"}]}, "applies[0].until"),
    ],
)
def test_a_bad_document_names_the_place_and_leaves_nothing(cast: Cast, change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadFramework) as refusal:
        load({**DOCUMENT, **change}, system_user())
    assert refusal.value.field == field
    assert not Framework.objects.exists()


def test_only_from_the_root(cast: Cast) -> None:
    load(DOCUMENT, cast.users["dana"])
    with pytest.raises(Forbidden):
        load(DOCUMENT, cast.users["frank"])
