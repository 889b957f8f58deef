"""What this slice refuses."""

from config.portal.errors import Invalid


class CommentRefused(Invalid):
    """An empty or endless comment, or one that was not written on the page it claims."""
