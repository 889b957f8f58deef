"""What a submission needs, what an edit changed, and when an agreement is out of date; without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.changes import rules

AT = datetime(2026, 3, 3, tzinfo=UTC)
FULL = {
    "kind": "deployment",
    "title": "Deploy",
    "rationale": "Better recall",
    "version": {"label": "1"},
    "environment": "production",
    "rollout_plan": "All at once",
    "rollback": {"trigger": "recall < 0.9", "steps": "Deploy the old one"},
    "tradeoffs": [],
    "testing_protocol": [{"test": "back-test"}],
}


def test_a_full_deployment_misses_nothing() -> None:
    assert rules.missing(FULL) == []


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("title", "  ", "title"),
        ("version", None, "version"),
        ("rollback", None, "rollback.trigger"),
        ("rollback", {"trigger": "x", "steps": ""}, "rollback.steps"),
        ("tradeoffs", "text", "tradeoffs"),
        ("testing_protocol", ["text"], "testing_protocol"),
    ],
)
def test_what_is_missing_is_named_with_a_remedy(field: str, value: object, named: str) -> None:
    found = rules.missing(FULL | {field: value})
    assert named in [name for name, _remedy in found]
    assert all(remedy for _name, remedy in found)


def test_a_rollback_needs_no_plan_to_roll_back_and_a_waiver_no_version() -> None:
    assert rules.missing({**FULL, "kind": "rollback", "rollback": None, "rollout_plan": ""}) == []
    waiver = {"kind": "waiver", "title": "t", "rationale": "r", "waived_rule": "k", "compensating_control": "c", "waiver_until": "2027"}
    assert rules.missing(waiver) == []
    assert rules.missing({**waiver, "waiver_until": None})[0][0] == "waiver_until"


@pytest.mark.parametrize(
    ("kind", "plans"), [("deployment", True), ("retraining", True), ("rollback", False), ("waiver", False), ("new", False)]
)
def test_only_what_moves_forward_plans_how_to_get_back(kind: str, plans: bool) -> None:
    assert rules.needs(kind, "rollback") is plans
    assert rules.needs("deployment", "rollback.steps")


def test_a_kind_nobody_described_is_refused() -> None:
    assert rules.missing({"kind": "mystery"})[0][0] == "kind"


def test_differences_name_fields_both_ways_but_not_the_revision() -> None:
    found = rules.differences({"a": 1, "b": 2, "revision": 1}, {"a": 1, "b": 3, "c": 4, "revision": 2})
    assert found == [{"field": "b", "old": 2, "new": 3}, {"field": "c", "old": None, "new": 4}]
    assert rules.differences({"gone": 1}, {}) == [{"field": "gone", "old": 1, "new": None}]


def test_an_agreement_is_superseded_once_another_version_went_live_after_it() -> None:
    later = AT + timedelta(days=1)
    assert rules.superseded(AT, [(later, False)])
    assert not rules.superseded(AT, [(later, True)])
    assert not rules.superseded(AT, [(AT - timedelta(days=1), False), (AT, False)])
    assert not rules.superseded(AT, [])
