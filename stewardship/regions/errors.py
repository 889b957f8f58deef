"""Refusals of this slice."""

from config.portal.errors import Conflict, Forbidden, Invalid


class UnknownParameter(Invalid):
    """No Bound names this parameter, so nobody may set it."""


class OutOfBounds(Invalid):
    """The value lies outside what this region may set."""


class TreeRefused(Conflict):
    """The move would leave the tree without one root or put a region below itself."""


class NotYours(Forbidden):
    """The person may not configure this region."""
