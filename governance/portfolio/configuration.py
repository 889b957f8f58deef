"""Who is offered the configuration: people who may change something there, not everybody who may look."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from config.portal.permission import reach


def may_configure(user: Any) -> bool:
    """Whether any screen of the configuration lets this person change something; no query beyond their grants."""
    wanted = {
        right
        for screen in admin.site._registry.values()
        for verb, right in getattr(screen, "rights", {}).items()
        if verb != "view" and right
    }
    return any(reach(user, right) for right in sorted(wanted))
