"""Entry points of the tick and the job worker."""

from __future__ import annotations

from stewardship.notices import deliver as delivery


def deliver() -> str:
    """Send what is due."""
    return f"{delivery.deliver()} deliveries tried"
