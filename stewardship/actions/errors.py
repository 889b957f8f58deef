"""What this slice refuses."""

from config.portal.errors import Forbidden, Invalid


class ActionRefused(Invalid):
    """A field that is missing or cannot be, named."""


class OwnWork(Forbidden):
    """Nobody verifies what they did themselves."""
