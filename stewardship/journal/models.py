"""The journal's own tables: what waits, what is sequenced, and what was signed.

Keys are numbers here, not UUIDs: an entry's index is its place in the tree.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.journal.acting import acting
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact
from stewardship.journal.rights import EntryRight


class Outbox(models.Model):
    """A governed row that no entry holds yet. Written by the triggers alone, emptied by the sequencer alone."""

    seq = models.BigAutoField(primary_key=True)
    tbl = models.CharField(max_length=100)
    hid = models.CharField(max_length=64)
    obj = models.CharField(max_length=64)
    recorded = models.DateTimeField(help_text=_("The database's own clock, when the row was written."))

    class Meta:
        db_table = "journal_outbox"
        verbose_name = _("waiting row")
        verbose_name_plural = _("waiting rows")
        indexes = [models.Index(fields=["tbl", "hid"], name="journal_outbox_row")]  # a page asks whether its rows still wait


class Entry(models.Model):
    """One leaf of the tree. The payload is kept, so that a later change of a table's shape cannot change it."""

    index = models.BigIntegerField(primary_key=True, db_column="idx")
    tbl = models.CharField(max_length=100)
    hid = models.CharField(max_length=64)
    obj = models.CharField(max_length=64)
    n = models.BigIntegerField(help_text=_("How many entries this object has up to this one."))
    prev = models.CharField(max_length=64, blank=True, help_text=_("Leaf hash of the object's entry before, in hex."))
    payload = models.TextField()
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "journal_entry"
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["tbl", "hid"], name="journal_entry_one_per_row"),
            models.UniqueConstraint(fields=["obj", "n"], name="journal_entry_one_per_step"),
            models.CheckConstraint(condition=models.Q(index__gte=0), name="journal_entry_has_a_place"),
        ]

    def __str__(self) -> str:
        return f"{self.index} {self.tbl} {self.hid}"


class Tile(models.Model):
    """Up to 256 neighbouring hashes of one level of the tree; the last of each level grows."""

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField(db_column="idx")
    data = models.BinaryField(max_length=8192)

    class Meta:
        db_table = "journal_tile"
        verbose_name = _("tile")
        verbose_name_plural = _("tiles")
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="journal_tile_place")]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Checkpoint(models.Model):
    """The tree at one size. The note is empty until the signer has agreed; the size and root never change."""

    size = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=64, help_text=_("Merkle root in hex."))
    made_at = models.DateTimeField()
    note = models.TextField(blank=True, help_text=_("The signed note that auditors keep."))
    cosignatures = models.TextField(blank=True, help_text=_("Signature lines of witnesses."))

    class Meta:
        db_table = "journal_checkpoint"
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        ordering = ["size"]

    def __str__(self) -> str:
        return f"{self.size} {self.root[:12]}"


class Key(models.Model):
    """The public half of a signing key; the private half is a file and never in the database."""

    key_id = models.CharField(max_length=8, primary_key=True)
    vkey = models.CharField(max_length=300, help_text=_("The public key in the form that verifiers read."))
    from_size = models.BigIntegerField(help_text=_("The journal's size when the key came into use."))
    made_at = models.DateTimeField()

    class Meta:
        db_table = "journal_key"
        verbose_name = _("journal key")
        verbose_name_plural = _("journal keys")

    def __str__(self) -> str:
        return self.key_id


class Secret(models.Model):
    """The salt behind one commitment. Erasing it makes the commitment unreadable: the only erasable table."""

    tbl = models.CharField(max_length=100)
    hid = models.CharField(max_length=64)
    field = models.CharField(max_length=64)
    salt = models.BinaryField(max_length=16)

    class Meta:
        db_table = "journal_secret"
        verbose_name = _("salt")
        verbose_name_plural = _("salts")
        constraints = [models.UniqueConstraint(fields=["tbl", "hid", "field"], name="journal_secret_one_per_value")]


class JournalEvent(Fact):
    """Something that changed no row but belongs in the record: a migration, a key, an export, a login."""

    kind = models.CharField(max_length=60, db_index=True)
    detail = DocumentField(default=dict)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = EntryRight.VIEW

    class Meta:
        db_table = "journal_event"
        verbose_name = _("journal event")
        verbose_name_plural = _("journal events")

    def __str__(self) -> str:
        return str(self.kind)


def note_event(kind: str, detail: dict[str, Any], *, actor: Any) -> JournalEvent:
    """Put one event on record, done by `actor` (anything with a `pk`). Part of the caller's transaction."""
    with acting(actor):
        event = JournalEvent(kind=kind, detail=detail)
        event.save()
    return event
