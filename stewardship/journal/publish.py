"""From a committed checkpoint to a published one: signed, and mirrored as files that any verifier can read.

The mirror (tiles, the rows' names, the signed checkpoint) lies outside the database, so that a database rewritten from
top to bottom still meets a witness.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from stewardship.journal import merkle
from stewardship.journal.errors import JournalStopped
from stewardship.journal.models import Checkpoint, Entry, Tile
from stewardship.journal.note import NoteError, TreeHead
from stewardship.journal.signer import folder, locked, must_continue, settle_names, sign_head, write

_TILE: Final = f"SELECT data FROM {Tile._meta.db_table} WHERE level = %s AND idx = %s"  # noqa: S608 - our own name


def read_tile(level: int, index: int, width: int) -> bytes:
    """A tile from the database; empty when there is none."""
    with connection.cursor() as cursor:  # a proof reads several: the ORM's own way costs more than the reading
        cursor.execute(_TILE, [level, index])
        row = cursor.fetchone()
    return bytes(row[0])[: width * 32] if row else b""


def latest() -> Checkpoint | None:
    """The newest published checkpoint."""
    return Checkpoint.objects.exclude(note="").order_by("-size").first()


def publish(*, wait: bool = True) -> None:
    """Sign and mirror the newest checkpoint when that has not happened; raises JournalStopped when it must not be.

    A checkpoint between two published ones is never signed: it is inside the next one. With `wait=False` it leaves the
    work to whoever is at it.
    """
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None or (newest.note and mirrored_size() == newest.size):
        return
    with locked(wait=wait) as ours:
        if ours:
            _publish(Checkpoint.objects.order_by("-size")[0])


def _publish(newest: Checkpoint) -> None:
    tree = merkle.Tree(newest.size, read_tile)
    head = TreeHead(settings.JOURNAL_ORIGIN, newest.size, tree.root())
    if head.root.hex() != newest.root:
        raise JournalStopped(
            _("The tiles of the journal do not give the root of its checkpoint at %(size)d.") % {"size": newest.size},
            remedy=_("Run `manage.py journal verify`; it names the rows."),
        )
    # What is mirrored was signed once: it binds the signer like its own memory, and before a second history is signed.
    must_continue(mirrored_head(folder()), head, tree)
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
        raise JournalStopped(
            _("%(name)s in the journal's folder is no checkpoint: %(error)s") % {"name": path.name, "error": error},
            remedy=_("Put the saved file back."),
        ) from error


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


def mirror(target: Path, checkpoint: Checkpoint, tree: merkle.Tree, *, whole: bool = False) -> None:
    """Bring a folder up to this checkpoint: new tiles and names first, the checkpoint last, each on the disk before the next.

    `whole` writes the older tiles and names again too. Raises JournalStopped when the folder holds another history.
    """
    before = mirrored_head(target)
    must_continue(before, TreeHead.parse(checkpoint.note.partition("\n\n")[0] + "\n"), tree)
    begin = before.size if before and not whole else 0
    for path in sorted(_write_tiles(target, begin, checkpoint.size), reverse=True):
        settle_names(path)
    _write_names(target / "rows.tsv", begin, checkpoint.size)
    settle_names(target)
    write(target / "checkpoint", checkpoint.note.encode())
    settle_names(target)


def _write_tiles(target: Path, begin: int, size: int) -> set[Path]:
    """The tiles that changed since `begin`, whole or unfinished; the folders that were touched."""
    folders = set()
    held = {level: (full, width) for level, full, width in merkle.tile_widths(begin)}
    for level, full, width in merkle.tile_widths(size):
        if held.get(level) == (full, width):
            continue
        paths = []
        first = (begin >> (8 * level)) // merkle.TILE
        for index, data in Tile.objects.filter(level=level, index__gte=first, index__lt=full).values_list("index", "data").iterator():
            paths.append(target / tile_path(level, index))
            write(paths[-1], bytes(data))
            _forget_partial(target, level, index, 0)
        if width:
            paths.append(target / tile_path(level, full, width))
            write(paths[-1], read_tile(level, full, width))
            _forget_partial(target, level, full, width)
        for path in paths:
            folders |= {folder for folder in path.parents if folder.is_relative_to(target)}
    return folders


def _write_names(path: Path, begin: int, size: int) -> None:
    """The rows' names of the entries up to `size`, each once, also after a death in the middle of a line."""
    begin = _cut(path, begin) if begin else 0
    rows = Entry.objects.filter(index__gte=begin, index__lt=size).order_by("index").values_list("index", "tbl", "hid")
    with open(path, "a" if begin else "w", encoding="utf-8") as file:
        for index, tbl, hid in rows.iterator():
            file.write(f"{index}\t{tbl}\t{hid}\n")
        file.flush()
        os.fsync(file.fileno())


def _cut(path: Path, begin: int) -> int:
    """Cut a list of names after the last whole line of an entry below `begin`; the index to go on with."""
    if not path.exists() or not path.stat().st_size:
        return 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:  # only its end is read
        end = data.rfind(b"\n") + 1
        index = 0
        while end and not index:
            start = data.rfind(b"\n", 0, end - 1) + 1
            number = data[start:end].partition(b"\t")[0]
            if number.isdigit() and int(number) < begin:
                index = int(number) + 1
            else:
                end = start
    os.truncate(path, end)
    return index


def _forget_partial(target: Path, level: int, index: int, keep: int) -> None:
    """Drop the narrower forms of a tile that has grown."""
    held = target / (tile_path(level, index) + ".p")
    if held.is_dir():
        for path in held.iterdir():
            if path.name != str(keep):
                path.unlink()
        if not keep:
            held.rmdir()
