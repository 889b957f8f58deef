"""Refusals of this slice."""

from config.portal.errors import Conflict, DomainError, Forbidden, Invalid


class NeverDeleted(DomainError):
    """People are deactivated: what they did must keep its name."""


class BadToken(Invalid):
    """The token cannot be issued like this."""


class NotYours(Forbidden):
    """The person may not manage this person, team or token."""


class Overlaps(Conflict):
    """The same thing is already recorded for a part of that time."""
