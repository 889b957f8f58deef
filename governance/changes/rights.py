"""Rights over change requests."""

from enum import StrEnum


class ChangeRight(StrEnum):
    VIEW = "changes:change:view"
    DRAFT = "changes:change:draft"
    SUBMIT = "changes:change:submit"
    WITHDRAW = "changes:change:withdraw"
