"""What this slice refuses."""

from config.portal.errors import Invalid


class UnknownCause(Invalid):
    """A notice about a kind of thing that nobody registered: it could never be asked whether it is still wanted."""
