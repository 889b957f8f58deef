"""Entry points of the tick and the job worker."""

from __future__ import annotations

from stewardship.coverage.sweep import sweep


def look() -> str:
    """Look for gaps."""
    swept = sweep()
    return f"{swept.opened} gaps opened, {swept.closed} closed"
