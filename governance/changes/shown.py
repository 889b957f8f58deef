"""How a change looks in lists and heads."""

from __future__ import annotations

from typing import Any, cast

from config.portal.chips import Chip, Tone
from governance.changes.models import ChangeRequest


def status_chip(change: ChangeRequest) -> Chip:
    """The status as a chip."""
    tone, icon = change.tone
    return Chip(change.get_status_display(), cast(Tone, tone), icon)


def where(change: ChangeRequest) -> str:
    """The place it is about: environment and region."""
    return f"{change.environment}, {change.region}" if change.environment else str(change.region)


def change_url(change: ChangeRequest) -> str:
    """Its page."""
    return change.get_absolute_url()


def what(row: Any) -> str:
    """Number and title."""
    return str(row)
