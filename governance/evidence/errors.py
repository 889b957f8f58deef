"""Refusals of this slice."""

from config.portal.errors import Conflict, Invalid


class EvidenceRefused(Invalid):
    """The file cannot be accepted: nothing in it, too large, or a kind that is no plain name."""


class DigestMismatch(Invalid):
    """What arrived is not what the sender says was sent."""


class AttachedElsewhere(Conflict):
    """The very same file is already evidence of this kind under another name."""
