"""The rights of this slice."""

from __future__ import annotations

from enum import StrEnum


class ReportRight(StrEnum):
    """A report shows everything about its model, so both rights are given with care."""

    VIEW = "audits:report:view"
    REQUEST = "audits:report:request"
