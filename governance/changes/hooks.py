"""What happens elsewhere when a change moves. Slices to the right register here; nothing to the right is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from governance.changes.models import ChangeRequest
    from stewardship.people.models import User

Hook = Callable[["ChangeRequest", "User"], None]

_edited_in_review: list[Hook] = []
_moved: list[Hook] = []


def register_edited_in_review(hook: Hook) -> None:
    """`hook(change, actor)` runs inside the transaction of an edit made while people are deciding."""
    _edited_in_review.append(hook)


def register_moved(hook: Hook) -> None:
    """`hook(change, actor)` runs inside the transaction of every change of status."""
    _moved.append(hook)


def edited_in_review(change: ChangeRequest, actor: User) -> None:
    """Tell everyone who must start over because the content is another one."""
    for hook in _edited_in_review:
        hook(change, actor)


def moved(change: ChangeRequest, actor: User) -> None:
    """Tell everyone whose answer depends on the status of a change."""
    for hook in _moved:
        hook(change, actor)
