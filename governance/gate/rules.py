"""Pure rules of the gate: agreement and policies in, one verdict with its reasons out. No ORM, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from governance.policies.rules import ALLOW, DENY, UNDECIDED


class Agreement(StrEnum):
    """What is known of the approval that a permit would rest on."""

    HOLDS = "holds"
    NONE = "none"
    IN_REVIEW = "in_review"
    ALTERED = "altered"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Reason:
    """One thing in the way: the rule, what is so, how to change it, who can."""

    rule: str
    text: str
    remedy: str = ""
    who: str = ""

    def as_document(self) -> dict[str, str]:
        """As the API gives it."""
        return {"rule": self.rule, "text": self.text, "remedy": self.remedy, "who": self.who}


@dataclass(frozen=True)
class Outcome:
    """The answer and everything that stands in the way of a yes."""

    verdict: str
    reasons: tuple[Reason, ...]


def weigh(
    *, agreement: Agreement, approval: Reason | None, retired: Reason | None, policy: str, findings: Sequence[Mapping[str, Any]]
) -> Outcome:
    """Allow only when an agreement holds, the model lives, and the policies say allow.

    A definite no wins over "not known"; what is neither a clear yes nor a clear no is undecided. `approval` words why
    the agreement does not hold, `retired` that the model is out of use; `findings` are the blocking ones not met or not known.
    """
    reasons = [each for each in (retired, approval if agreement is not Agreement.HOLDS else None) if each is not None]
    reasons += [
        Reason(str(each.get("rule", "")), str(each.get("text", "")), str(each.get("remedy", "")), str(each.get("who", "")))
        for each in findings
    ]
    if retired is not None or agreement is not Agreement.HOLDS or policy == DENY:
        return Outcome(DENY, tuple(reasons))
    if policy == ALLOW and not findings:
        return Outcome(ALLOW, ())
    return Outcome(UNDECIDED, tuple(reasons))
