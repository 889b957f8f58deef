"""What this slice says when it refuses."""

from __future__ import annotations

from config.portal.errors import Invalid


class ThresholdRefused(Invalid):
    """A threshold that could not hold: not a number, out of order, or looser than what is inherited."""
