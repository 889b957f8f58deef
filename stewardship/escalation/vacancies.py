"""Who wants to know that a step reached nobody, or that a whole path did. Filled by the slices to the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stewardship.escalation.frozen import Step
    from stewardship.escalation.models import Run

_vacant: list[Callable[[Run, Step], None]] = []
_unanswered: list[Callable[[Run], None]] = []


def register(hook: Callable[[Run, Step], None]) -> None:
    """Called, inside the firing's transaction, with a step whose role nobody holds."""
    if hook not in _vacant:
        _vacant.append(hook)


def register_end(hook: Callable[[Run], None]) -> None:
    """Called, inside the transaction, when the last step passed and nobody had answered."""
    if hook not in _unanswered:
        _unanswered.append(hook)


def vacant(run: Run, step: Step) -> None:
    """Tell everybody registered."""
    for tell in _vacant:
        tell(run, step)


def unanswered(run: Run) -> None:
    """Tell everybody registered."""
    for tell in _unanswered:
        tell(run)
