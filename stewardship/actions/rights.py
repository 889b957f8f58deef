"""The rights of this slice."""

from enum import StrEnum


class ActionRight(StrEnum):
    """Things to do: seeing, assigning, and having them done or checked. An owner closes their own, a verifier checks theirs."""

    VIEW = "actions:action:view"
    OPEN = "actions:action:open"
    CLOSE = "actions:action:close"
    VERIFY = "actions:action:verify"
