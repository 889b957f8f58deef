"""Every entry in order: its row, its leaf, its tile, and every root on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Max

from stewardship.journal import merkle
from stewardship.journal.findings import Problem, Report
from stewardship.journal.frontier import Frontier
from stewardship.journal.mirrors import Mirror
from stewardship.journal.models import Checkpoint, Entry, Tile
from stewardship.journal.rebuild import Leaf, Rebuilder
from stewardship.journal.snapshot import octets, printable

CHUNK: Final = 8 * merkle.TILE


@dataclass(frozen=True)
class Claim:
    """Somebody says that the first `size` entries have this root."""

    size: int
    root: str
    where: str


class Walk:
    """One pass over the entries; what it finds is in the report.

    The tree is grown from what two of three copies of each hash say (payload, entry, tile), so that one altered copy is
    named where it is, and does not make every later root look wrong.
    """

    def __init__(self, report: Report, claims: list[Claim], mirrors: list[Mirror]) -> None:
        self._report = report
        self._claims = claims
        self._mirrors = mirrors
        self._tree = Frontier()
        self._broken = False
        self._missing: list[range] = []
        newest = Checkpoint.objects.aggregate(size=Max("size"))["size"] or 0
        self._covered = max([newest, *(claim.size for claim in claims)])

    def run(self) -> None:
        """Walk to the end."""
        rebuilder = Rebuilder(self._report)
        expected = 0
        for leaves in self._chunks():
            hashes = rebuilder.check(leaves)
            stored = self._tiles(0, {item.index // merkle.TILE for item in leaves if 0 <= item.index < self._covered})
            placed: list[tuple[Leaf, bytes]] = []
            ready: list[bytes] = []
            for item, hashed in zip(leaves, hashes, strict=True):
                if item.index > expected < self._covered:
                    self._grow(ready)
                    ready = []
                    expected = self._skip(expected, min(item.index, self._covered))
                if item.index != expected:
                    self._report.add(Problem(item.tbl, item.hid, "This entry stands outside the tree.", index=item.index))
                    continue
                if expected == self._covered:
                    text = "Here begin entries that no checkpoint covers."
                    self._report.add(Problem(item.tbl, item.hid, text, index=item.index))
                expected += 1
                placed.append((item, hashed))
                ready.append(self._compare(item, hashed, stored))
            self._grow(ready)
            for mirror in self._mirrors:
                mirror.compare(placed)
        if expected < self._covered:
            expected = self._skip(expected, self._covered)
        self._report.entries = expected - sum(map(len, self._missing))
        self._report.rows = rebuilder.rows
        self._report.root = self._tree.root().hex()
        for mirror in self._mirrors:
            mirror.finish(self._missing)
        beyond = Checkpoint.objects.filter(size__gt=self._tree.size).count()
        if beyond:
            self._report.add(Problem("journal_checkpoint", "", f"{beyond} checkpoints cover entries that are gone without a trace."))

    def _chunks(self) -> Iterator[list[Leaf]]:
        """Entries in order of index, from the smallest."""
        found = Entry.objects.order_by("index").values_list("index", "tbl", "hid", "obj", "n", "prev", "payload", "leaf_hash")
        after = found
        while rows := list(after[:CHUNK]):
            leaves = [
                Leaf(index, printable(tbl), printable(hid), printable(obj), n, prev, str(payload), octets(hashed))
                for index, tbl, hid, obj, n, prev, payload, hashed in rows
                if isinstance(index, int)
            ]
            for index, tbl, hid, *_ in rows:
                if not isinstance(index, int):
                    self._report.add(Problem(printable(tbl), printable(hid), f"This entry's place is no number: {index!r}."))
            if not leaves:
                return
            yield leaves
            after = found.filter(index__gt=leaves[-1].index)

    def _tiles(self, level: int, numbers: Iterable[int]) -> dict[int, bytes]:
        stored = Tile.objects.filter(level=level, index__in=sorted(numbers)).values_list("index", "data")
        return {index: octets(data) for index, data in stored}

    def _compare(self, item: Leaf, hashed: bytes, stored: dict[int, bytes]) -> bytes:
        """Name the row when its tile holds another hash; what two of its three copies say."""
        place = item.index % merkle.TILE * 32
        held = stored.get(item.index // merkle.TILE, b"")[place : place + 32]
        if held != hashed:
            self._report.add(Problem(item.tbl, item.hid, "The tree holds another hash for this row.", index=item.index))
        return held if held == item.leaf_hash else hashed

    def _skip(self, first: int, end: int) -> int:
        """Report a hole, and close it with the hashes that the tiles still hold, so that the rest can be compared."""
        text = f"Entry {first} is missing." if end == first + 1 else f"Entries {first} to {end - 1} are missing."
        self._report.add(Problem("journal_entry", str(first), text, index=first))
        self._missing.append(range(first, end))
        tiles = Tile.objects.filter(level=0, index__range=(first // merkle.TILE, (end - 1) // merkle.TILE)).order_by("index")
        for index, data in tiles.values_list("index", "data").iterator():
            begin = index * merkle.TILE
            if self._tree.size < begin:
                break
            held = merkle.cut(octets(data))[self._tree.size - begin : end - begin]
            self._grow(held)
        self._broken = self._broken or self._tree.size < end
        return end

    def _grow(self, hashes: list[bytes]) -> None:
        """Append; compare the tiles above and each root that somebody claims on the way."""
        if self._broken or not hashes:
            return
        start = self._tree.size
        end = start + len(hashes)
        stored = Checkpoint.objects.filter(size__gt=start, size__lte=end).values_list("size", "root")
        claims = [Claim(size, root, "journal_checkpoint") for size, root in stored]
        claims += [claim for claim in self._claims if start < claim.size <= end]
        above: list[tuple[int, int, bytes]] = []
        for claim in sorted(claims, key=lambda one: one.size):
            above += self._tree.extend(hashes[self._tree.size - start : claim.size - start])
            if self._tree.root().hex() != claim.root:
                text = "The entries give another root than this checkpoint says."
                self._report.add(Problem(claim.where, str(claim.size), text, field="root"))
        above += self._tree.extend(hashes[self._tree.size - start :])
        for level in {level for level, _, _ in above}:
            self._compare_above(level, {index: hashed for held, index, hashed in above if held == level})

    def _compare_above(self, level: int, hashes: dict[int, bytes]) -> None:
        stored = self._tiles(level, {index // merkle.TILE for index in hashes})
        for index, hashed in hashes.items():
            number, place = divmod(index, merkle.TILE)
            if stored.get(number, b"")[place * 32 : place * 32 + 32] != hashed:
                self._report.add(Problem("journal_tile", f"{level}/{number}", "This tile does not follow from the entries below it."))
