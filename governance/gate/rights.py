"""Rights over the gate."""

from enum import StrEnum


class VerdictRight(StrEnum):
    VIEW = "gate:verdict:view"
    ASK = "gate:verdict:ask"


class StandingRight(StrEnum):
    VIEW = "gate:standing:view"
