"""What every template may ask about the shell around it; computed only when asked."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from config.portal.shell import Shell


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell` in every template."""
    return {"shell": Shell(request)}
