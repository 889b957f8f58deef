"""Rights over routes and decisions."""

from enum import StrEnum


class RouteRight(StrEnum):
    VIEW = "approvals:route:view"
    CONFIGURE = "approvals:route:configure"


class DecisionRight(StrEnum):
    VIEW = "approvals:decision:view"
    MAKE = "approvals:decision:make"
