"""What the journal says when it refuses."""

from __future__ import annotations

from config.portal.errors import Conflict, Missing, Unavailable


class JournalStopped(Conflict):
    """The signer remembers another history than the database shows; a person must look before it signs again."""


class KeyMissing(Unavailable):
    """The signing key is not in the key folder, though this journal was signed with it before."""


class NotSequenced(Unavailable):
    """The entry is not in a signed checkpoint yet, so there is no proof of it."""


class UnknownRecord(Missing):
    """No such governed table or row."""
