"""What this slice says when it refuses."""

from __future__ import annotations

from config.portal.errors import Invalid


class ReasonMissing(Invalid):
    """An alert was closed or taken up without a word why."""


class OutcomeMissing(Invalid):
    """An alert was closed without saying what it was."""
