"""What the tick looks after for this slice."""

from __future__ import annotations

from config.portal.tick import chore
from governance.approvals.overdue import escalate_overdue, lapse


@chore("overdue approvals")
def overdue_approvals() -> int:
    """Call for whoever is late with a decision."""
    return escalate_overdue()


@chore("lapsed changes", every=30)
def lapsed_changes() -> int:
    """End reviews and approvals whose time is over."""
    return lapse()
