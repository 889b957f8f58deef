"""Takes the tree out of the database, for whoever wants to compare later without trusting it."""

from __future__ import annotations

from pathlib import Path

from stewardship.journal import merkle
from stewardship.journal.errors import NotSequenced
from stewardship.journal.publish import latest, mirror, read_tile


def save(folder: Path) -> int:
    """Write tiles, row names and the newest signed checkpoint to a folder; how many entries it covers.

    A folder saved before is brought up to date; raises JournalStopped when it holds another history.
    """
    newest = latest()
    if newest is None:
        raise NotSequenced("No checkpoint is signed yet.", remedy="Run `manage.py journal sequence` first.")
    folder.mkdir(parents=True, exist_ok=True)
    mirror(folder, newest, merkle.Tree(newest.size, read_tile))
    return newest.size
