"""How the shell enters an act without knowing the journal, which installs the way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.utils.translation import gettext as _

from config.portal.errors import Unavailable

Enter = Callable[[Any, str], AbstractContextManager[Any]]
_enter: Enter | None = None


def install(enter: Enter) -> None:
    """Called once, by the journal when the apps are ready."""
    global _enter
    _enter = enter


def act(actor: Any, reason: str) -> AbstractContextManager[Any]:
    """Everything governed saved inside is recorded as done by `actor` for `reason`."""
    if _enter is None:
        raise Unavailable(_("Nothing can be recorded here, so nothing is changed."))
    return _enter(actor, reason)
