"""Entry points of the tick and the job worker."""

from __future__ import annotations

from stewardship.notices import deliver as delivery

PASS = 2.0  # seconds; what is left is due in the next pass


def deliver() -> str:
    """Send what is due, for as long as a pass may take."""
    return f"{delivery.deliver(seconds=PASS)} deliveries tried"
