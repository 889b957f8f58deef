"""From rules and facts to findings and a verdict. Pure: the rules come as plain data, the facts as a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation

from governance.policies.cel import Clause, ExpressionError, Outcome, compile_expression

ALLOW, DENY, UNDECIDED = "allow", "deny", "undecided"
MET, NOT_MET, UNKNOWN, WAIVED = "met", "not_met", "unknown", "waived"
_TURN = {NOT_MET: 0, UNKNOWN: 1, WAIVED: 2, MET: 3}
_WEIGHT = {"block": 0, "warn": 1, "info": 2}


@dataclass(frozen=True)
class Text:
    """One rule as plain data, with everything that its finding has to say."""

    name: str
    title: str
    applies_when: str
    expression: str
    severity: str
    remedy: str = ""
    who: str = ""
    role: str = ""
    rationale: str = ""
    clause: str = ""
    region: str = ""
    policy: str = ""
    version: int = 0
    waivable: bool = True


def finding(text: Text, facts: Mapping[str, Any], waiver: str = "") -> dict[str, Any] | None:
    """What one rule says about the facts, or None where it does not apply. `waiver` is the id of an exception in force.

    A rule that allows no exception heeds none, also one that was granted while an earlier text of it still did.
    """
    applies = _evaluate(text.applies_when, facts) if text.applies_when.strip() else Outcome(True, "", [])
    if applies.value is False:
        return None
    answer = _evaluate(text.expression, facts)
    # Whether it applies is not known, but where it is met anyway that makes no difference.
    outcome, reason, trace = _named(answer), answer.reason, answer.trace
    if applies.value is None and answer.value is not True:
        outcome, reason, trace = UNKNOWN, applies.reason, [*applies.trace, *answer.trace]
    waived = waiver if text.waivable and outcome != MET else ""
    return {
        "rule": text.name,
        "severity": text.severity,
        "outcome": WAIVED if waived else outcome,
        "expression": text.expression,
        "text": sentence(text.title, outcome, reason, trace),
        "trace": [clause.as_document() for clause in sorted(trace, key=lambda clause: _TURN[clause.outcome])],
        "remedy": text.remedy if outcome != MET else "",
        "who": text.who if outcome != MET else "",
        "role": text.role,
        "region": text.region,
        "clause": text.clause,
        "rationale": text.rationale,
        "policy": text.policy,
        "version": text.version,
        "waiver": waived,
    }


def findings(texts: Iterable[Text], facts: Mapping[str, Any], waivers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The findings of all rules that apply: what hinders most comes first. `waivers` maps rule names to waiver ids."""
    found = (finding(text, facts, waivers.get(text.name, "")) for text in texts)
    return sorted(
        (one for one in found if one is not None), key=lambda one: (_WEIGHT.get(one["severity"], 0), _TURN[one["outcome"]], one["rule"])
    )


def verdict(found: Iterable[Mapping[str, Any]]) -> str:
    """Deny where a blocking rule is not met; else undecided where one is not known; else allow."""
    # A severity this version does not know is treated as blocking.
    outcomes = {one["outcome"] for one in found if one["severity"] not in ("warn", "info")}
    if NOT_MET in outcomes:
        return DENY
    return UNDECIDED if outcomes - {MET, WAIVED} else ALLOW


def sentence(title: str, outcome: str, reason: str, trace: list[Clause]) -> str:
    """The finding in words: the demand, and what was found instead."""
    stem = title.rstrip(" .")
    if outcome == MET:
        return f"{stem}."
    if outcome == UNKNOWN:
        return (
            f"{stem}: not known, because there is {reason}." if reason.startswith("no value") else f"{stem}: not known, because {reason}."
        )
    failed = next((clause for clause in trace if clause.outcome == NOT_MET), None)
    if failed is None:
        return f"{stem}: not so."
    found = {True: "yes", False: "no"}.get(failed.actual, failed.actual) if isinstance(failed.actual, bool) else failed.actual
    return f"{stem}: found {found} where {failed.expression} is required."


def none_in_force(region: str, holders: str) -> dict[str, Any]:
    """The finding of an installation, or a region, without any policy: not known, never a pass."""
    return {
        "rule": "",
        "severity": "block",
        "outcome": UNKNOWN,
        "expression": "",
        "text": f"No policy is in force for {region}.",
        "trace": [],
        "remedy": f"Ask {holders} to adopt one." if holders else "Nobody may adopt one here yet; ask whoever assigns roles.",
        "who": holders,
        "role": "",
        "region": region,
        "clause": "",
        "rationale": "Without a policy nothing says what would be acceptable.",
        "policy": "",
        "version": 0,
        "waiver": "",
    }


def _named(outcome: Outcome) -> str:
    return UNKNOWN if outcome.value is None else MET if outcome.value else NOT_MET


def _evaluate(expression: str, facts: Mapping[str, Any]) -> Outcome:
    with translation.override("en"):  # findings are kept and read by others; they speak one language
        try:
            return compile_expression(expression).evaluate(facts)
        except ExpressionError as error:
            # A stored rule that this version cannot read any more must not pass, nor take the page down.
            return Outcome(None, f"the rule cannot be read: {error}", [])
