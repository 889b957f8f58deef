"""Real peers need a portal that they can reach."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _static_folder() -> None:
    """The live server starts before a test's own folder is there."""
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
