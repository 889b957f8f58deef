"""What this slice refuses."""

from config.portal.errors import Invalid


class GapRefused(Invalid):
    """A gap closed without a reason."""
