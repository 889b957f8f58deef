"""What would embarrass us, from plain facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from governance.audits.report.rules import STALE, Facts, Live, findings

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLEAN = Facts(at=NOW, accountable="Alice", tier=2, assessed_at=NOW - timedelta(days=10), live=[Live("1.0", "production", True, True)])


def texts(**changes: object) -> list[tuple[str, str]]:
    facts = Facts(**{**CLEAN.__dict__, **changes})  # type: ignore[arg-type]
    return [(one.weight, one.text) for one in findings(facts)]


def test_a_clean_model_needs_no_explanation() -> None:
    assert texts() == []


def test_each_hole_is_named_with_its_weight() -> None:
    assert texts(accountable="") == [("act", "Nobody is accountable for this model.")]
    assert texts(tier=None) == [("act", "The model has no risk tier.")]
    assert texts(ruled=False)[0][0] == "watch"
    assert texts(assessed_at=None) == [("watch", "No risk assessment is on record.")]
    assert texts(assessed_at=NOW - STALE) == []
    assert texts(assessed_at=NOW - STALE - timedelta(days=1)) == [("watch", "The risk was last assessed on 2025-11-21.")]
    assert texts(gaps=["validator"]) == [("watch", "Open gap: validator.")]
    assert texts(live=[Live("1.0", "production", False, True)]) == [("act", "1.0 runs in production without an approved change.")]
    assert texts(live=[Live("1.0", "production", True, False)]) == [("act", "1.0 runs in production and has no evidence.")]
    assert texts(unread_evidence=["m.json"]) == [("watch", "The evidence m.json could not be read.")]
    assert texts(not_allowed=[("CR-1", "denied")]) == [("act", "CR-1 was approved although its last evaluation says: denied.")]
    assert texts(overdue=[("CR-2", "validator", NOW)]) == [("watch", "CR-2: the decision of validator was due on 2026-11-22 00:00 UTC.")]
    assert texts(open_alerts=[("Drift", "Act")]) == [("watch", "Unresolved alert (Act): Drift")]
    assert texts(unjudged_alerts=2)[0][1].startswith("2 alerts ended by themselves")
    assert texts(unanswered=["Drift"]) == [("act", "An escalation ended without an answer: Drift.")]
    assert texts(entered_later=1, rows=9)[0][1].startswith("1 of 9 entries")


def test_a_waiver_is_told_while_it_holds() -> None:
    assert texts(waivers=[("p/r", NOW + timedelta(days=1))]) == [("info", "p/r is waived until 2026-11-23.")]
    assert texts(waivers=[("p/r", NOW)]) == []


def test_the_worst_comes_first() -> None:
    weights = [weight for weight, _text in texts(accountable="", assessed_at=None, entered_later=3, rows=3, tier=None)]
    assert weights == ["act", "act", "watch", "info"]
