"""Takes the tree out of the database, for whoever wants to compare later without trusting it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from stewardship.journal import merkle
from stewardship.journal.errors import JournalStopped, NotSequenced
from stewardship.journal.models import Tile
from stewardship.journal.publish import latest, mirror, read_tile
from stewardship.journal.signer import locked

_LOOK: Final = gettext_noop("Run `manage.py journal verify`; it names the rows.")


def save(folder: Path, *, repair: bool = False) -> int:
    """Write tiles, row names and the newest signed checkpoint to a folder; how many entries it covers.

    A folder saved before is brought up to date; with `repair` its older files are written again too. Raises JournalStopped
    when it holds another history, or when the database's own tiles are not fit to repair from.
    """
    newest = latest()
    if newest is None:
        raise NotSequenced(_("No checkpoint is signed yet."), remedy=_("Run `manage.py journal sequence` first."))
    tree = merkle.Tree(newest.size, read_tile)
    if tree.root().hex() != newest.root:
        raise JournalStopped(
            _("The tiles of the journal do not give the root of its checkpoint at %(size)d.") % {"size": newest.size}, remedy=_(_LOOK)
        )
    if repair:
        _check_tiles(newest.size)
    folder.mkdir(parents=True, exist_ok=True)
    with locked():  # it may be the publisher's own mirror
        mirror(folder, newest, tree, whole=repair)
    return newest.size


def _check_tiles(size: int) -> None:
    """Each full tile has the hash that the tile above it holds; what lies above is checked with the root."""
    for level, full, _width in merkle.tile_widths(size):
        for index in range(full):
            data = read_tile(level, index, merkle.TILE)
            above = Tile.objects.filter(level=level + 1, index=index // merkle.TILE).values_list("data", flat=True).first()
            place = index % merkle.TILE * 32
            if len(data) != merkle.TILE * 32 or merkle.full_hash(merkle.cut(data)) != bytes(above or b"")[place : place + 32]:
                raise JournalStopped(
                    _("Tile %(level)d/%(index)d of the database does not belong to its tree.") % {"level": level, "index": index},
                    remedy=_(_LOOK),
                )
