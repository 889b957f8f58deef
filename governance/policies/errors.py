"""Refusals of this slice."""

from config.portal.errors import Conflict, Invalid


class PolicyIsFixed(Conflict):
    """A published version never changes; a new one is drafted instead."""


class NotPublishable(Invalid):
    """The version cannot come into force as it is."""


class NotWaivable(Invalid):
    """The rule does not exist here, is said to allow no exception, or the exception has no end."""
