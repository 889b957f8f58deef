"""What documents refuse, in plain words."""

from __future__ import annotations

from config.portal.errors import Conflict, Invalid, Unavailable


class BlobCorrupt(Unavailable):
    """The stored bytes are gone or are not the ones that were recorded."""


class MediaRefused(Invalid):
    """The bytes are not what the file says it is."""


class UnknownJob(LookupError):
    """A job of a kind that nobody registered; a mistake in the code, not in the input."""


class JobCancelled(Exception):
    """Raised inside a running job at its next `progress()` after somebody cancelled it."""


class LeaseLost(Exception):
    """Another worker has taken this job over; what this one did must not be kept."""


class JobEnded(Conflict):
    """The job is over and cannot be cancelled any more."""


class SealRefused(Unavailable):
    """The seal's key or certificate cannot be used."""
