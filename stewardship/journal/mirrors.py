"""A copy of the tree outside the database: the publisher's mirror, or a folder that an auditor saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from django.conf import settings

from stewardship.journal import merkle
from stewardship.journal.findings import MOST, Problem, Report
from stewardship.journal.note import NoteError, NotTrusted, TreeHead, Verifier, open_checkpoint
from stewardship.journal.publish import tile_path
from stewardship.journal.rebuild import Leaf

TRIES = 5  # a publisher may replace a growing tile as often while we look for it


class Mirror:
    """Compares the walk over the entries with tiles that were written down before.

    The checkpoint is read when this is made, before the database is: what it covers was committed by then.
    """

    def __init__(self, folder: Path, label: str, report: Report) -> None:
        self._folder = folder
        self._label = label
        self._report = report
        self._note = self._read_note()
        self.head: TreeHead | None = None
        self._differing: dict[int, Leaf] = {}
        self._tile: tuple[int, bytes] = (-1, b"")

    def _read_note(self) -> bytes | None:
        try:
            return (self._folder / "checkpoint").read_bytes()
        except OSError:
            return None

    @property
    def absent(self) -> bool:
        """Whether there is no checkpoint, not even one that was written meanwhile."""
        return self._note is None and self._read_note() is None

    def open(self, keys: Iterable[Verifier]) -> None:
        """Trust the folder if one of these keys signed its checkpoint and its tiles give that root."""
        if self._note is None:
            return
        try:
            head = open_checkpoint(self._note.decode(), keys, settings.JOURNAL_ORIGIN)
        except NotTrusted as error:
            self._report.undecided.append(f"The checkpoint in {self._label}: {error}")
            return
        except (NoteError, UnicodeDecodeError) as error:
            self._report.add(Problem(self._label, "checkpoint", str(error)))
            return
        try:
            root = merkle.Tree(head.size, self._read).root()
        except (merkle.ProofError, OSError) as error:
            self._report.undecided.append(f"The tiles in {self._label} are damaged: {error}")
            return
        if root != head.root:
            self._report.undecided.append(f"The tiles in {self._label} do not have the root of its signed checkpoint.")
            return
        self.head = head

    def _read(self, level: int, index: int, width: int) -> bytes:
        """A tile, or the beginning of the wider one that it has become since; raises OSError."""
        exact = self._folder / tile_path(level, index, width)
        for _ in range(TRIES):
            for path in (exact, *self._wider(level, index, width)):
                try:
                    return path.read_bytes()[: width * 32]
                except FileNotFoundError:
                    continue
        raise FileNotFoundError(f"There is no {exact}.")

    def _wider(self, level: int, index: int, width: int) -> list[Path]:
        """The wider forms of a tile, as the folder shows them now; the full one comes last because it comes last."""
        full = self._folder / tile_path(level, index)
        try:
            held = [path for path in full.with_name(f"{full.name}.p").iterdir() if path.name.isdigit() and int(path.name) > width]
        except OSError:
            held = []
        return [*held, full]

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

    def compare(self, placed: Sequence[tuple[Leaf, bytes]]) -> None:
        """Remember every entry whose hash is not the one written down here."""
        if self.head is None:
            return
        for item, hashed in placed:
            if item.index < self.head.size and self._hash(item.index) not in (hashed, b""):
                self._differing[item.index] = item

    def finish(self, missing: Iterable[range]) -> None:
        """Name the rows that differ, and those whose entries are `missing` from the database."""
        if self.head is None:
            return
        size = self.head.size
        gone = [range(some.start, min(some.stop, size)) for some in missing if some.start < size]
        if not self._differing and not gone:
            return
        named = list(islice(chain.from_iterable(gone), MOST))
        self._report.more += sum(map(len, gone)) - len(named)
        names = dict(self._names({*self._differing, *named}))
        for index, item in self._differing.items():
            table, record = names.get(index, (item.tbl, item.hid))
            self._report.add(Problem(table, record, f"Not the entry that {self._label} holds.", index=index))
            if (table, record) != (item.tbl, item.hid):
                self._report.add(Problem(item.tbl, item.hid, f"{self._label} has {table} {record} in this place.", index=index))
        for index in named:
            table, record = names.get(index, ("journal_entry", str(index)))
            self._report.add(Problem(table, record, f"In {self._label}, but no longer in the journal.", index=index))

    def _names(self, wanted: set[int]) -> Iterator[tuple[int, tuple[str, str]]]:
        """index → (table, record), from the list beside the tiles."""
        path = self._folder / "rows.tsv"
        if path.exists():
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    number, _, rest = line.rstrip("\n").partition("\t")
                    table, _, record = rest.partition("\t")
                    if number.isascii() and number.isdigit() and int(number) in wanted:
                        yield int(number), (table, record)
