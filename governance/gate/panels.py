"""How an answer of the gate looks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from config.portal.chips import Tone
from governance.changes.models import ChangeRequest, Status
from governance.gate import standing
from governance.gate.judge import Place

TONES: dict[str, Tone] = {"allow": "good", "deny": "act", "undecided": "unknown"}


def gate_says(change: ChangeRequest, at: datetime) -> dict[str, Any] | None:
    """What the gate says about an agreed change at this moment, so that page and pipeline never disagree."""
    if change.status not in (Status.APPROVED, Status.IMPLEMENTED) or change.version is None or change.environment is None:
        return None
    kept = standing.current(Place(change.version, change.environment, change.region), at)
    return {"verdict": kept.verdict, "tone": TONES[kept.verdict], "word": kept.get_verdict_display(), "reasons": kept.document["reasons"]}
