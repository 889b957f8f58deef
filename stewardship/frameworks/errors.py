"""Refusals of this slice."""

from config.portal.errors import Invalid


class BadFramework(Invalid):
    """The document cannot be loaded; `field` names the place in it."""
