"""Yes, no or not known: what the gate makes of an agreement, a model's life and the policies."""

from __future__ import annotations

import pytest

from governance.gate.rules import Agreement, Reason, weigh
from governance.policies.rules import ALLOW, DENY, UNDECIDED

NOBODY = Reason("approval", "Nobody has approved it.", "Ask for a change.", "Alice")
RETIRED = Reason("retired", "The model is retired.", "", "")
FINDING = {"rule": "recall/floor", "severity": "block", "text": "Recall is too low.", "remedy": "Train again.", "who": "Alice"}


@pytest.mark.parametrize(
    ("agreement", "retired", "policy", "findings", "verdict", "reasons"),
    [
        (Agreement.HOLDS, None, ALLOW, [], ALLOW, []),
        (Agreement.HOLDS, None, ALLOW, [FINDING], UNDECIDED, ["recall/floor"]),
        (Agreement.HOLDS, None, UNDECIDED, [FINDING], UNDECIDED, ["recall/floor"]),
        (Agreement.HOLDS, None, UNDECIDED, [], UNDECIDED, []),
        (Agreement.HOLDS, None, DENY, [FINDING], DENY, ["recall/floor"]),
        (Agreement.HOLDS, RETIRED, ALLOW, [], DENY, ["retired"]),
        *[
            (missing, None, policy, [], DENY, ["approval"])
            for missing in Agreement
            if missing is not Agreement.HOLDS
            for policy in (ALLOW, UNDECIDED, DENY)
        ],
        (
            next(each for each in Agreement if each is not Agreement.HOLDS),
            RETIRED,
            DENY,
            [FINDING],
            DENY,
            ["retired", "approval", "recall/floor"],
        ),
    ],
)
def test_a_no_wins_over_not_known_and_every_reason_is_told(
    agreement: Agreement, retired: Reason | None, policy: str, findings: list[dict[str, str]], verdict: str, reasons: list[str]
) -> None:
    outcome = weigh(agreement=agreement, approval=NOBODY, retired=retired, policy=policy, findings=findings)
    assert outcome.verdict == verdict
    assert [each.rule for each in outcome.reasons] == reasons


def test_a_finding_without_a_remedy_is_told_as_it_is() -> None:
    (reason,) = weigh(agreement=Agreement.HOLDS, approval=None, retired=None, policy=UNDECIDED, findings=[{"rule": "a/b"}]).reasons
    assert reason == Reason("a/b", "", "", "")
