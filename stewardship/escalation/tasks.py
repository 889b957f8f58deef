"""Entry points of the tick and the job worker."""

from __future__ import annotations

from stewardship.escalation.fire import fire_due


def fire_due_timers() -> str:
    """Make the calls that are due."""
    return f"{fire_due()} timers done"
