"""What audits refuse, in plain words."""

from __future__ import annotations

from config.portal.errors import Conflict, Unavailable


class JournalNotReady(Unavailable):
    """There is no signed checkpoint that a report could rest on."""


class RowDiffers(Unavailable):
    """A row is no longer what the journal recorded; a report must not repeat it."""


class JournalDiffers(Unavailable):
    """The journal is not as it was written; nothing is sealed that rests on it."""


class FileDiffers(Unavailable):
    """What is to be sealed or signed would not pass where an auditor checks it."""


class NotReady(Conflict):
    """The report has no file yet, or never will."""
