"""Rights of the journal: reading other people's entries, and taking proofs away."""

from __future__ import annotations

from enum import StrEnum


class EntryRight(StrEnum):
    """What a person may do with the entries of objects they see."""

    VIEW = "journal:entry:view"


class ProofRight(StrEnum):
    """Taking evidence out of the portal."""

    EXPORT = "journal:proof:export"
