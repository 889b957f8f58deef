"""Tells those who derive something from teams and delegations (the grants) that these changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

Listener = Callable[[Iterable[UUID]], None]
_listeners: list[Listener] = []


def on_change(listener: Listener) -> None:
    """Call `listener` with the ids of people whose teams or delegations changed, inside the same transaction."""
    if listener not in _listeners:
        _listeners.append(listener)


def changed(people: Iterable[UUID]) -> None:
    """What these people may do may have changed."""
    ids = list(people)
    for listener in _listeners:
        listener(ids)
