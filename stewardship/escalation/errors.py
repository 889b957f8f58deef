"""What this slice refuses."""

from config.portal.errors import Invalid


class NoPath(Invalid):
    """Nobody has configured who is called about this kind of thing here."""


class UnknownSubject(Invalid):
    """An escalation about a kind of thing that nobody registered."""


class ReasonMissing(Invalid):
    """Calling people by hand, or sending them away, needs a reason."""
