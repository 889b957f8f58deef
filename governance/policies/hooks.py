"""Who wants to know that the policies of a region changed; higher slices fill this when the apps are ready."""

from __future__ import annotations

from typing import Protocol

from stewardship.people.models import User
from stewardship.regions.models import Region


class Changed(Protocol):
    """Called inside the transaction in which a version was published or retired."""

    def __call__(self, region: Region, *, actor: User) -> None: ...


_listeners: list[Changed] = []


def on_change(listener: Changed) -> None:
    """`listener(region, actor=…)` is called when what holds in this region and below has changed."""
    if listener not in _listeners:
        _listeners.append(listener)


def changed(region: Region, *, actor: User) -> None:
    """Tell everyone who asked."""
    for listener in _listeners:
        listener(region, actor=actor)
