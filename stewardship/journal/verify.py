"""Is everything still as it was written? Rebuilds each leaf from the live row and follows it to the signed checkpoint.

Compared with the tree in the database, with the mirror outside it, and with whatever folder or checkpoint an auditor
saved before. Streams; the memory needed does not grow with the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from stewardship.journal import merkle
from stewardship.journal.errors import KeyMissing
from stewardship.journal.findings import Problem, Report
from stewardship.journal.guards import check_guards
from stewardship.journal.keys import verifiers
from stewardship.journal.mirrors import Mirror
from stewardship.journal.models import Checkpoint, Entry, Outbox, Tile
from stewardship.journal.note import Forged, NoteError, NotTrusted, TreeHead, Verifier, open_checkpoint
from stewardship.journal.rebuild import Leaf, Rebuilder
from stewardship.journal.signer import folder
from stewardship.journal.standing import chain_breaks, drifted, repeated_salts, unjournalled_rows

CHUNK: Final = 8 * merkle.TILE


def verify_database(checkpoint_text: str | None = None, saved: Path | None = None) -> Report:
    """Verify the whole database, against the mirror, a saved checkpoint and a saved folder; never raises on tampering."""
    report = Report()
    keys = _keys(report)
    heads = [head for head in [_saved_head(checkpoint_text, keys, report)] if head]
    mirrors = [Mirror(folder(), "the mirror", keys, report)]
    if saved is not None:
        mirrors.append(Mirror(saved, "the saved folder", keys, report))
    heads += [mirror.head for mirror in mirrors if mirror.head]
    _walk(report, heads, mirrors)
    _checkpoints(report, keys)
    _standing(report)
    return report


def _keys(report: Report) -> list[Verifier]:
    try:
        return verifiers()
    except (KeyMissing, NoteError) as error:
        report.undecided.append(f"No key to check signatures with: {error}")
        return []


def _saved_head(text: str | None, keys: list[Verifier], report: Report) -> TreeHead | None:
    if text is None:
        return None
    try:
        return open_checkpoint(text, keys, settings.JOURNAL_ORIGIN)
    except NotTrusted as error:
        report.undecided.append(f"The saved checkpoint: {error}")
    except NoteError as error:
        report.add(Problem("saved checkpoint", "", str(error)))
    return None


@dataclass
class _Tip:
    """The tree as far as the walk has come, as its unfinished tiles."""

    size: int
    partial: dict[int, bytes]

    def grow(self, hashes: list[bytes]) -> dict[tuple[int, int], bytes]:
        """Append; the tiles that changed, with the unfinished ones from before."""
        recent = {(level, (self.size >> (8 * level)) // merkle.TILE): data for level, data in self.partial.items()}
        for level, index, data in merkle.append(self.size, hashes, self.partial):
            recent[(level, index)] = data
        self.size += len(hashes)
        self.partial = {level: recent[(level, full)] for level, full, width in merkle.tile_widths(self.size) if width}
        return recent


def _walk(report: Report, heads: list[TreeHead], mirrors: list[Mirror]) -> None:
    """Every entry in order: its row, its leaf, its tile, and every root on the way."""
    tip = _Tip(0, {})
    rebuilder = Rebuilder(report)
    for leaves in _chunks(report):
        hashes = rebuilder.check(leaves)
        start = tip.size
        recent = tip.grow(hashes)
        _compare_tiles(report, leaves, hashes, recent)
        for mirror in mirrors:
            mirror.compare(leaves, hashes)
        _compare_roots(report, heads, recent, start, tip.size)
    report.entries = tip.size
    report.rows = rebuilder.rows
    report.root = merkle.Tree(tip.size, lambda level, index, width: tip.partial[level]).root().hex()
    for mirror in mirrors:
        mirror.finish(tip.size)
    for head in heads:
        if head.size > tip.size:
            report.add(
                Problem("journal_entry", f"{tip.size}…{head.size - 1}", f"Entries that a checkpoint of {head.size} covers are missing.")
            )
    beyond = Checkpoint.objects.filter(size__gt=tip.size).count()
    if beyond:
        report.add(Problem("journal_checkpoint", "", f"{beyond} checkpoints are larger than the journal."))
    newest = Checkpoint.objects.order_by("-size").first()
    if tip.size and (newest is None or newest.size < tip.size):
        report.add(Problem("journal_entry", str(tip.size - 1), "Entries that no checkpoint covers.", index=tip.size - 1))


def _chunks(report: Report) -> Iterator[list[Leaf]]:
    """Entries in order of index. A hole is reported, and closed so that the rest can be compared."""
    expected, last = 0, -1
    while True:
        found = Entry.objects.filter(index__gt=last).order_by("index")[:CHUNK]
        leaves = [
            Leaf(index, tbl, hid, obj, n, prev, payload, bytes(hashed))
            for index, tbl, hid, obj, n, prev, payload, hashed in found.values_list(
                "index", "tbl", "hid", "obj", "n", "prev", "payload", "leaf_hash"
            )
        ]
        if not leaves:
            return
        for item in leaves:
            if item.index != expected:
                report.add(Problem("journal_entry", str(expected), f"Entries {expected} to {item.index - 1} are missing.", index=expected))
                expected = item.index
            expected += 1
        last = leaves[-1].index
        yield leaves


def _compare_tiles(report: Report, leaves: list[Leaf], hashes: list[bytes], recent: dict[tuple[int, int], bytes]) -> None:
    stored = {
        (level, index): bytes(data)
        for level in {level for level, _ in recent}
        for index, data in Tile.objects.filter(level=level, index__range=_range(recent, level)).values_list("index", "data")
    }
    for item, hashed in zip(leaves, hashes, strict=True):
        place = item.index % merkle.TILE * 32
        if stored.get((0, item.index // merkle.TILE), b"")[place : place + 32] != hashed:
            report.add(Problem(item.tbl, item.hid, "The tree holds another hash for this row.", index=item.index))
    for (level, index), data in recent.items():
        if level and stored.get((level, index), b"")[: len(data)] != data:
            report.add(Problem("journal_tile", f"{level}/{index}", f"This tile does not follow from the entries up to {leaves[-1].index}."))


def _range(recent: dict[tuple[int, int], bytes], level: int) -> tuple[int, int]:
    indexes = [index for held, index in recent if held == level]
    return min(indexes), max(indexes)


def _compare_roots(report: Report, heads: Iterable[TreeHead], recent: dict[tuple[int, int], bytes], start: int, end: int) -> None:
    """Each checkpoint between two sizes has the root that the entries give."""
    stored = Checkpoint.objects.filter(size__gt=start, size__lte=end).values_list("size", "root")
    claims = [(size, root, "journal_checkpoint") for size, root in stored.iterator()]
    claims += [(head.size, head.root.hex(), "saved checkpoint") for head in heads if start < head.size <= end]
    for size, root, where in claims:
        found = merkle.Tree(size, lambda level, index, width: recent[(level, index)]).root()
        if found.hex() != root:
            report.add(Problem(where, str(size), "The entries give another root than this checkpoint says.", field="root"))


def _checkpoints(report: Report, keys: list[Verifier]) -> None:
    """Each note says its own row's size and root; the newest is signed by a key we trust."""
    newest = None
    for checkpoint in Checkpoint.objects.exclude(note="").order_by("size").iterator():
        newest = checkpoint
        try:
            head = TreeHead.parse(checkpoint.note.partition("\n\n")[0] + "\n")
        except NoteError as error:
            report.add(Problem("journal_checkpoint", str(checkpoint.size), str(error), field="note"))
            continue
        if (head.size, head.root.hex()) != (checkpoint.size, checkpoint.root):
            report.add(
                Problem("journal_checkpoint", str(checkpoint.size), "The note says another size or root than its row.", field="note")
            )
    if newest is None:
        if report.entries:
            report.undecided.append("No checkpoint is signed yet.")
        return
    report.published = newest.size
    try:
        open_checkpoint(newest.note, keys, settings.JOURNAL_ORIGIN)
    except (NotTrusted, Forged) as error:
        report.add(Problem("journal_checkpoint", str(newest.size), str(error), field="note"))
    except NoteError:
        pass  # reported above


def _standing(report: Report) -> None:
    """What no walk over entries can see: rows without one, broken chains, nouns that differ from their history."""
    report.waiting = Outbox.objects.count()
    for source in (unjournalled_rows, chain_breaks, drifted, repeated_salts):
        for problem in source():
            report.add(problem)
    for text in check_guards():
        report.add(Problem(text.partition(":")[0], "", text.partition(": ")[2]))
