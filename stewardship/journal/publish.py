"""From a committed checkpoint to a published one: signed, and mirrored as files that any verifier can read.

The mirror (tiles, the rows' names, the signed checkpoint) lies outside the database, so that a database rewritten from
top to bottom still meets a witness.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from stewardship.journal import merkle
from stewardship.journal.errors import JournalStopped
from stewardship.journal.models import Checkpoint, Entry, Tile
from stewardship.journal.note import NoteError, TreeHead
from stewardship.journal.signer import folder, locked, must_continue, sign_head, write


def read_tile(level: int, index: int, width: int) -> bytes:
    """A tile from the database; empty when there is none."""
    data = Tile.objects.filter(level=level, index=index).values_list("data", flat=True).first()
    return bytes(data)[: width * 32] if data is not None else b""


def latest() -> Checkpoint | None:
    """The newest published checkpoint."""
    return Checkpoint.objects.exclude(note="").order_by("-size").first()


def publish() -> None:
    """Sign and mirror the newest checkpoint when that has not happened; raises JournalStopped when it must not be.

    A checkpoint between two published ones is never signed: it is inside the next one.
    """
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None or (newest.note and mirrored_size() == newest.size):
        return
    with locked():
        newest = Checkpoint.objects.order_by("-size")[0]
        tree = merkle.Tree(newest.size, read_tile)
        head = TreeHead(settings.JOURNAL_ORIGIN, newest.size, tree.root())
        if head.root.hex() != newest.root:
            raise JournalStopped(
                f"The tiles of the journal do not give the root of its checkpoint at {newest.size}.",
                remedy="Run `manage.py journal verify`; it names the rows.",
            )
        note = sign_head(head, tree)
        if not newest.note:
            Checkpoint.objects.filter(size=newest.size, note="").update(note=note)
            newest.refresh_from_db()
        mirror(folder(), newest, tree)


def mirrored_head(target: Path) -> TreeHead | None:
    """The tree head of the checkpoint in a mirror, its signature unchecked; None when there is none."""
    path = target / "checkpoint"
    if not path.exists():
        return None
    try:
        return TreeHead.parse(path.read_text(encoding="utf-8").partition("\n\n")[0] + "\n")
    except (NoteError, UnicodeDecodeError) as error:
        raise JournalStopped(f"{path.name} in the journal's folder is no checkpoint: {error}", remedy="Put the saved file back.") from error


def mirrored_size() -> int:
    """How much of the journal is published; 0 before the first time."""
    head = mirrored_head(folder())
    return head.size if head else 0


def tile_path(level: int, index: int, width: int = merkle.TILE) -> str:
    """tile/<L>/<N>[.p/<W>], the index in groups of three digits."""
    digits = f"{index % 1000:03d}"
    while index := index // 1000:
        digits = f"x{index % 1000:03d}/{digits}"
    return f"tile/{level}/{digits}" + (f".p/{width}" if width < merkle.TILE else "")


def mirror(target: Path, checkpoint: Checkpoint, tree: merkle.Tree) -> None:
    """Bring a folder up to this checkpoint: new tiles and names first, the checkpoint last.

    Raises JournalStopped when the folder holds another history.
    """
    before = mirrored_head(target)
    must_continue(before, TreeHead.parse(checkpoint.note.partition("\n\n")[0] + "\n"), tree)
    begin = before.size if before else 0
    for level, full, width in merkle.tile_widths(checkpoint.size):
        first = (begin >> (8 * level)) // merkle.TILE
        for index, data in Tile.objects.filter(level=level, index__gte=first, index__lt=full).values_list("index", "data").iterator():
            write(target / tile_path(level, index), bytes(data))
            _forget_partial(target, level, index, 0)
        if width:
            write(target / tile_path(level, full, width), read_tile(level, full, width))
            _forget_partial(target, level, full, width)
    rows = Entry.objects.filter(index__gte=begin, index__lt=checkpoint.size).values_list("index", "tbl", "hid")
    with open(target / "rows.tsv", "a" if begin else "w", encoding="utf-8") as file:
        for index, tbl, hid in rows.iterator():
            file.write(f"{index}\t{tbl}\t{hid}\n")
    write(target / "checkpoint", checkpoint.note.encode(), durable=True)


def _forget_partial(target: Path, level: int, index: int, keep: int) -> None:
    """Drop the narrower forms of a tile that has grown."""
    held = target / (tile_path(level, index) + ".p")
    if held.is_dir():
        for path in held.iterdir():
            if path.name != str(keep):
                path.unlink()
        if not keep:
            held.rmdir()
