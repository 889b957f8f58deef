"""Refusals of this slice."""

from config.portal.errors import Conflict, Forbidden, Invalid


class BadAssignment(Invalid):
    """An assignment that cannot be made like this; `field` says why."""


class AlreadyAccountable(Conflict):
    """Somebody else is accountable on this scope for a part of that time."""


class DutiesNotSeparated(Conflict):
    """The person would hold two roles that must be two people."""


class OwnSecondLine(Forbidden):
    """Nobody appoints themselves, or from below, to the second line."""


class AlreadyEnded(Conflict):
    """The assignment has ended already."""


class RoleInUse(Conflict):
    """Somebody holds the role, so what kind of role it is cannot change."""
