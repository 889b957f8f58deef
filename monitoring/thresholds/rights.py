"""The rights of this slice."""

from __future__ import annotations

from enum import StrEnum


class RuleRight(StrEnum):
    """Seeing thresholds, and setting them at a scope."""

    VIEW = "thresholds:rule:view"
    CONFIGURE = "thresholds:rule:configure"
