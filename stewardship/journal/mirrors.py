"""A copy of the tree outside the database: the publisher's mirror, or a folder that an auditor saved."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from stewardship.journal import merkle
from stewardship.journal.findings import Problem, Report
from stewardship.journal.note import NoteError, NotTrusted, TreeHead, Verifier, open_checkpoint
from stewardship.journal.publish import tile_path
from stewardship.journal.rebuild import Leaf


class Mirror:
    """Compares the walk over the entries with tiles that were written down before."""

    def __init__(self, folder: Path, label: str, keys: Iterable[Verifier], report: Report) -> None:
        self._folder = folder
        self._label = label
        self._report = report
        self.head = self._read_head(list(keys))
        self._differing: dict[int, Leaf] = {}
        self._tile: tuple[int, bytes] = (-1, b"")

    def _read_head(self, keys: list[Verifier]) -> TreeHead | None:
        path = self._folder / "checkpoint"
        if not path.exists():
            if self._label != "the mirror":
                self._report.undecided.append(f"There is no checkpoint in {self._label}.")
            return None
        try:
            head = open_checkpoint(path.read_text(encoding="utf-8"), keys, settings.JOURNAL_ORIGIN)
        except NotTrusted as error:
            self._report.undecided.append(f"The checkpoint in {self._label}: {error}")
            return None
        except (NoteError, UnicodeDecodeError) as error:
            self._report.add(Problem(self._label, "checkpoint", str(error)))
            return None
        try:
            root = merkle.Tree(head.size, self._read).root()
        except (merkle.ProofError, OSError) as error:
            self._report.undecided.append(f"The tiles in {self._label} are damaged: {error}")
            return None
        if root != head.root:
            self._report.undecided.append(f"The tiles in {self._label} do not have the root of its signed checkpoint.")
            return None
        return head

    def _read(self, level: int, index: int, width: int) -> bytes:
        return (self._folder / tile_path(level, index, width)).read_bytes()

    def _hash(self, index: int) -> bytes:
        assert self.head is not None
        number = index // merkle.TILE
        if self._tile[0] != number:
            try:
                data = self._read(0, number, min(merkle.TILE, self.head.size - number * merkle.TILE))
            except OSError:
                data = b""
                self._report.undecided.append(f"Tile {number} in {self._label} cannot be read.")
            self._tile = (number, data)
        place = index % merkle.TILE * 32
        return self._tile[1][place : place + 32]

    def compare(self, leaves: list[Leaf], hashes: list[bytes]) -> None:
        """Remember every entry whose hash is not the one written down here."""
        if self.head is None:
            return
        for item, hashed in zip(leaves, hashes, strict=True):
            if item.index < self.head.size and self._hash(item.index) not in (hashed, b""):
                self._differing[item.index] = item

    def finish(self, size: int) -> None:
        """Name the rows that differ, and those that are no longer in the database at all."""
        if self.head is None:
            return
        gone = range(size, self.head.size)
        if not self._differing and not gone:
            return
        names = self._names(set(self._differing) | set(gone))
        for index, item in self._differing.items():
            table, record = names.get(index, (item.tbl, item.hid))
            self._report.add(Problem(table, record, f"Not the entry that {self._label} holds.", index=index))
            if (table, record) != (item.tbl, item.hid):
                self._report.add(Problem(item.tbl, item.hid, f"{self._label} has {table} {record} in this place.", index=index))
        for index in gone:
            table, record = names.get(index, ("journal_entry", str(index)))
            self._report.add(Problem(table, record, f"In {self._label}, but no longer in the journal.", index=index))

    def _names(self, wanted: set[int]) -> dict[int, tuple[str, str]]:
        """index → (table, record), from the list beside the tiles."""
        path = self._folder / "rows.tsv"
        names: dict[int, tuple[str, str]] = {}
        if path.exists():
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    number, _, rest = line.rstrip("\n").partition("\t")
                    table, _, record = rest.partition("\t")
                    if number.isdigit() and int(number) in wanted:
                        names[int(number)] = (table, record)
        return names
