"""How an answer of the gate looks."""

from __future__ import annotations

from config.portal.chips import Tone

TONES: dict[str, Tone] = {"allow": "good", "deny": "act", "undecided": "unknown"}
