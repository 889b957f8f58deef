"""Refusals of this slice."""

from config.portal.errors import Conflict, Invalid


class AlreadyRegistered(Conflict):
    """The name, label or digest is taken; `field` says which."""


class BadDigest(Invalid):
    """Not a SHA-256 digest in lower-case hex."""


class BadField(Invalid):
    """A field that cannot be accepted as it is."""


class NotLive(Conflict):
    """The deployment has ended already."""


class BadShare(Invalid):
    """A share of traffic is more than 0 and at most 1."""
