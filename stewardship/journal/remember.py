"""Gives a signer that lost its memory a new one, from a checkpoint that somebody kept outside this machine.

Never from the database alone: the memory is what a rewritten database is to be caught with.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from stewardship.journal import merkle
from stewardship.journal.acting import SYSTEM
from stewardship.journal.errors import JournalStopped
from stewardship.journal.keys import verifiers
from stewardship.journal.models import Checkpoint, note_event
from stewardship.journal.note import NoteError, TreeHead, open_checkpoint
from stewardship.journal.publish import read_tile
from stewardship.journal.signer import locked, must_continue, remember


def remember_checkpoint(text: str) -> TreeHead:
    """Go on from this checkpoint; raises JournalStopped when we did not sign it or the database does not continue it."""
    try:
        head = open_checkpoint(text, verifiers(), settings.JOURNAL_ORIGIN)
    except NoteError as error:
        raise JournalStopped(
            _("This is no checkpoint of ours: %(error)s") % {"error": error}, remedy=_("Give a checkpoint that was kept outside.")
        ) from error
    newest = Checkpoint.objects.order_by("-size").first()
    tree = merkle.Tree(newest.size if newest else 0, read_tile)
    with locked(), transaction.atomic():
        must_continue(head, TreeHead(settings.JOURNAL_ORIGIN, tree.size, tree.root()), tree)
        note_event("journal.signer.reminded", {"size": head.size, "root": head.root.hex()}, actor=SYSTEM)
        remember(head)
    return head
