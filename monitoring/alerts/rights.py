"""The rights of this slice."""

from __future__ import annotations

from enum import StrEnum


class AlertRight(StrEnum):
    """Seeing alerts, and each thing that may be done about one."""

    VIEW = "alerts:alert:view"
    ACKNOWLEDGE = "alerts:alert:acknowledge"
    INVESTIGATE = "alerts:alert:investigate"
    RESOLVE = "alerts:alert:resolve"
