"""From rules and facts to findings and a verdict, without a database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from governance.policies import rules
from governance.policies.cel import lexer
from governance.policies.rules import Text

FACTS: dict[str, Any] = {
    "model": {"tier": 1},
    "target": {"production": True},
    "evidence": {"metrics": {"recall": {"low": Decimal("0.81")}}},
}


def text(expression: str = "model.tier == 1", severity: str = "block", applies_when: str = "", name: str = "base/rule") -> Text:
    return Text(
        name=name,
        title="Recall is known to be above 0.85.",
        applies_when=applies_when,
        expression=expression,
        severity=severity,
        remedy="Attach metrics.",
        who="validator",
        role="validator",
    )


def only(one: Text, waivers: dict[str, str] | None = None) -> dict[str, Any]:
    (found,) = rules.findings([one], FACTS, waivers or {})
    return found


def test_a_rule_that_is_met_needs_no_remedy() -> None:
    found = only(text())
    assert (found["outcome"], found["text"], found["remedy"], found["who"]) == ("met", "Recall is known to be above 0.85.", "", "")


def test_a_rule_that_is_not_met_says_what_was_found_and_what_to_do() -> None:
    found = only(text("target.production && evidence.metrics.recall.low >= 0.85"))
    assert found["outcome"] == "not_met"
    assert found["text"] == "Recall is known to be above 0.85: found 0.81 where evidence.metrics.recall.low >= 0.85 is required."
    assert (found["remedy"], found["who"]) == ("Attach metrics.", "validator")
    assert [clause["outcome"] for clause in found["trace"]] == ["not_met", "met"], "what failed comes first"


def test_truth_values_are_found_as_yes_and_no() -> None:
    assert (
        "found no where target.canary is required" in rules.findings([text("target.canary")], {"target": {"canary": False}}, {})[0]["text"]
    )


def test_a_rule_without_traced_failure_still_says_that_it_failed() -> None:
    assert rules.sentence("It holds.", "not_met", "", []) == "It holds: not so."


def test_what_is_not_known_says_why() -> None:
    found = only(text("evidence.metrics.precision.low >= 0.85"))
    assert found["outcome"] == "unknown"
    assert found["text"] == "Recall is known to be above 0.85: not known, because there is no value for evidence.metrics.precision."
    assert "because a number" in only(text("model.tier < 'a'"))["text"]


def test_a_rule_that_does_not_apply_says_nothing() -> None:
    assert rules.findings([text("false", applies_when="!target.production")], FACTS, {}) == []


def test_whether_a_rule_applies_may_be_unknown() -> None:
    assert only(text("false", applies_when="target.canary"))["outcome"] == "unknown"
    assert only(text("true", applies_when="target.canary"))["outcome"] == "met", "met anyway, so that it makes no difference"


def test_a_stored_rule_that_cannot_be_read_is_not_known() -> None:
    found = only(text("model.tier ==="))
    assert found["outcome"] == "unknown"
    assert "cannot be read" in found["text"]


def test_what_a_finding_says_is_in_nobodys_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexer, "_", lambda said: f"{translation.get_language()}: {said}")
    with translation.override("de"):
        assert "en: Write == instead of ===" in only(text("model.tier ==="))["text"]


def test_a_waiver_covers_its_rule_and_only_where_it_is_needed() -> None:
    waived = only(text("false"), {"base/rule": "w-1"})
    assert (waived["outcome"], waived["waiver"]) == ("waived", "w-1")
    met = only(text("true"), {"base/rule": "w-1"})
    assert (met["outcome"], met["waiver"]) == ("met", "")
    assert only(text("false"), {"base/other": "w-1"})["outcome"] == "not_met"


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], "allow"),
        ([("block", "met")], "allow"),
        ([("block", "waived"), ("block", "met")], "allow"),
        ([("warn", "not_met"), ("info", "unknown")], "allow"),
        ([("block", "unknown"), ("block", "met")], "undecided"),
        ([("block", "unknown"), ("block", "not_met")], "deny"),
        ([("fatal", "not_met")], "deny"),
        ([("block", "odd")], "undecided"),
    ],
)
def test_only_blocking_rules_decide(outcomes: list[tuple[str, str]], expected: str) -> None:
    assert rules.verdict([{"severity": severity, "outcome": outcome} for severity, outcome in outcomes]) == expected


def test_what_hinders_most_comes_first() -> None:
    found = rules.findings(
        [
            text("true", name="a/met"),
            text("false", "warn", name="a/warned"),
            text("missing.x", name="a/unknown"),
            text("false", name="a/denied"),
        ],
        FACTS,
        {},
    )
    assert [one["rule"] for one in found] == ["a/denied", "a/unknown", "a/met", "a/warned"]


def test_without_a_policy_nothing_is_decided() -> None:
    found = rules.none_in_force("Germany", "compliance officer")
    assert rules.verdict([found]) == "undecided"
    assert found["remedy"] == "Ask compliance officer to adopt one."
    assert "Nobody may adopt one" in rules.none_in_force("Germany", "")["remedy"]
