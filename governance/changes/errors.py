"""Refusals of this slice."""

from __future__ import annotations

from config.portal.errors import Conflict, Invalid


class Incomplete(Invalid):
    """The change cannot be submitted as it is; `missing` names every field and its remedy."""

    def __init__(self, message: str, *, missing: list[tuple[str, str]]) -> None:
        super().__init__(message, field=missing[0][0], remedy=" ".join(text for _field, text in missing))
        self.missing = missing


class AlreadyInReview(Conflict):
    """Another change asks for the same move and is being decided."""
