"""What the floors above want to do when an alert opens; filled in AppConfig.ready()."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from monitoring.alerts.models import Alert
    from stewardship.people.models import User


class OnOpen(Protocol):
    """Called inside the alert's transaction, in a savepoint of its own: its failure never loses the alert."""

    def __call__(self, alert: Alert, *, actor: User) -> object: ...


_on_open: dict[str, OnOpen] = {}


def on_open(fn: OnOpen) -> OnOpen:
    """Call `fn(alert, actor=…)` when an alert opens or rises to a level; usable as a decorator. The same name replaces."""
    _on_open[f"{fn.__module__}.{getattr(fn, '__qualname__', repr(fn))}"] = fn
    return fn


def opened() -> dict[str, OnOpen]:
    """Every registered function by name."""
    return dict(_on_open)
