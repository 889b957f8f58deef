"""Templates, completeness, staleness and differences, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stewardship.dossiers import rules

SECTIONS: list[dict[str, Any]] = [
    {
        "key": "purpose",
        "title": "Purpose",
        "mandatory": True,
        "stale_after_days": 90,
        "blocks": [
            {"key": "intent", "title": "Intended use", "type": "text"},
            {"key": "limits", "title": "Limitations", "type": "list", "mandatory": False},
            {"key": "facts", "title": "Facts", "type": "facts", "provider": "model"},
        ],
    },
    {
        "key": "results",
        "title": "Results",
        "mandatory": True,
        "blocks": [{"key": "metrics", "title": "Metrics", "type": "metrics", "provider": "metrics"}],
    },
    {"key": "notes", "title": "Notes", "blocks": [{"key": "text", "title": "Notes", "type": "text"}]},
]
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def content(**values: Any) -> dict[str, Any]:
    return {"blocks": {address.replace("__", "."): {"value": value, "edited_at": NOW.isoformat()} for address, value in values.items()}}


FULL = content(purpose__intent="Second reading", purpose__facts={"name": "x"}, results__metrics=[{"name": "recall", "value": 1}])


def test_a_good_template_has_no_problems() -> None:
    assert rules.problems(SECTIONS) == []


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        (None, "at least one section"),
        ([], "at least one section"),
        (["x"], "plain key and a title"),
        ([{"key": "Big", "title": "x"}], "plain key and a title"),
        ([SECTIONS[2], SECTIONS[2]], "Two sections have the key 'notes'"),
        ([{**SECTIONS[2], "stale_after_days": 0}], "whole number of days"),
        ([{**SECTIONS[2], "stale_after_days": True}], "whole number of days"),
        ([{**SECTIONS[2], "stale_after_days": Decimal("1.5")}], "whole number of days"),
        ([{"key": "a", "title": "A", "blocks": []}], "at least one block"),
        ([{"key": "a", "title": "A", "blocks": ["x"]}], "Each block of 'A'"),
        ([{"key": "a", "title": "A", "blocks": [{"key": "b", "title": "B", "type": "text"}] * 2}], "Two blocks of 'A'"),
        ([{"key": "a", "title": "A", "blocks": [{"key": "b", "title": "B", "type": "html"}]}], "'B' has no type"),
        ([{"key": "a", "title": "A", "blocks": [{"key": "b", "title": "B", "type": "people"}]}], "needs a provider"),
    ],
)
def test_a_template_that_makes_no_sense_is_named(sections: Any, problem: str) -> None:
    assert any(problem in found for found in rules.problems(sections))


def test_a_full_and_fresh_dossier_is_complete() -> None:
    found = rules.completeness(SECTIONS, FULL, NOW)
    assert (found.mandatory, found.missing, found.stale, found.share) == (2, [], [], Decimal("1.00"))


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}])
def test_an_empty_block_makes_its_section_incomplete(nothing: Any) -> None:
    found = rules.completeness(SECTIONS, {"blocks": {**FULL["blocks"], "results.metrics": {"value": nothing}}})
    assert (found.missing, found.share) == (["Results"], Decimal("0.50"))


def test_nothing_written_is_nothing_complete_and_nothing_mandatory_is_complete() -> None:
    assert rules.completeness(SECTIONS, {}).share == 0
    assert rules.completeness(SECTIONS[2:], {}).share == 1


def test_what_nobody_looked_at_for_too_long_is_stale() -> None:
    assert rules.completeness(SECTIONS, FULL, NOW + timedelta(days=89)).stale == []
    old = rules.completeness(SECTIONS, FULL, NOW + timedelta(days=90))
    assert (old.missing, old.stale, old.share) == ([], ["Purpose"], Decimal("0.50"))
    undated = {"blocks": {**FULL["blocks"], "purpose.intent": {"value": "x"}}}
    assert rules.completeness(SECTIONS, undated, NOW).stale == ["Purpose"]
    both = {"blocks": {**undated["blocks"], "purpose.facts": {"value": None}}}
    assert (rules.completeness(SECTIONS, both, NOW).missing, rules.completeness(SECTIONS, both, NOW).stale) == (["Purpose"], [])


@pytest.mark.parametrize(
    ("block", "value", "problem"),
    [
        ({"type": "text", "title": "T"}, "fine", ""),
        ({"type": "list", "title": "T"}, ["fine"], ""),
        ({"type": "text", "title": "T"}, ["x"], "takes a text"),
        ({"type": "list", "title": "T"}, "x", "takes a list of texts"),
        ({"type": "list", "title": "T"}, [1], "takes a list of texts"),
        ({"type": "text", "title": "T"}, "x" * 20_001, "more than 20000"),
        ({"type": "text", "title": "T", "provider": "model"}, "x", "filled by the registry"),
        ({"type": "facts", "title": "T", "provider": "model"}, {}, "filled by the registry"),
    ],
)
def test_what_may_be_written_into_a_block(block: dict[str, Any], value: Any, problem: str) -> None:
    found = rules.edit_problem(block, value)
    assert problem in found
    assert bool(found) is bool(problem)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        ({"tier": 2, "note": "", "ok": True}, "tier: 2\nok: yes"),
        ([{"name": "recall", "n": None, "value": Decimal("0.9")}, "x", False], "name recall, value 0.9\nx\nno"),
        ({"libraries": {"numpy": "2"}, "tags": ["a", "b"]}, "libraries: numpy 2\ntags: a, b"),
    ],
)
def test_values_as_text(value: Any, text: str) -> None:
    assert rules.text_of(value) == text


def test_the_difference_is_told_word_by_word() -> None:
    old = content(purpose__intent="Reads scans of adults", purpose__limits=["Not for children"], results__metrics=[1])
    new = content(purpose__intent="Reads scans of all adults", results__metrics=[1], gone__block="x", notes__text="New")
    found = {one.key: one for one in rules.diff(SECTIONS, old, new)}
    assert list(found) == ["purpose.intent", "purpose.limits", "notes.text", "gone.block"]
    assert found["purpose.intent"].parts == [("equal", "Reads scans of "), ("insert", "all "), ("equal", "adults")]
    assert found["purpose.limits"].parts == [("delete", "Not for children")]
    assert (found["notes.text"].is_new, found["purpose.intent"].is_new) == (True, False)
    assert (found["gone.block"].section, found["purpose.intent"].section) == ("", "Purpose")
    assert rules.diff(SECTIONS, old, old) == []


def test_very_long_texts_are_compared_whole() -> None:
    long = "word " * 3_000
    assert rules.words(long, "new") == [("delete", long), ("insert", "new")]
    assert rules.words(long, "") == [("delete", long)]
    assert rules.words("a b", "a c") == [("equal", "a "), ("delete", "b"), ("insert", "c")]
