"""What people may be allowed to do with policies."""

from enum import StrEnum


class PolicyRight(StrEnum):
    VIEW = "policies:policy:view"
    CONFIGURE = "policies:policy:configure"


class EvaluationRight(StrEnum):
    VIEW = "policies:evaluation:view"


class WaiverRight(StrEnum):
    VIEW = "policies:waiver:view"
    GRANT = "policies:waiver:grant"
    END = "policies:waiver:end"
