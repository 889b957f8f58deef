"""The rights of this slice."""

from enum import StrEnum


class PathRight(StrEnum):
    """Who is called, in which order: the definition."""

    VIEW = "escalation:path:view"
    CONFIGURE = "escalation:path:configure"


class RunRight(StrEnum):
    """One escalation under way."""

    VIEW = "escalation:run:view"
    ACKNOWLEDGE = "escalation:run:acknowledge"
    ESCALATE = "escalation:run:escalate"
    STOP = "escalation:run:stop"
