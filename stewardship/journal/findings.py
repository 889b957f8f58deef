"""What a verification found: problems that name their row, and what could not be decided."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from stewardship.journal.snapshot import printable

MOST: Final = 1_000

GOOD, TAMPERED, UNDECIDED, USAGE = 0, 1, 2, 3


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was written: where, and in plain words what."""

    table: str
    record: str
    text: str
    field: str = ""
    index: int | None = None

    def __str__(self) -> str:
        place = f"{self.table} {self.record}".strip() + (f" .{self.field}" if self.field else "")
        return printable(f"{place}: {self.text}" + (f" (entry {self.index})" if self.index is not None else ""))


@dataclass
class Report:
    """The outcome of one verification."""

    problems: list[Problem] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    entries: int = 0
    rows: int = 0
    waiting: int = 0
    incomparable: dict[str, int] = field(default_factory=dict)  # values whose column has gone or has another type, by column
    root: str = ""
    published: int = 0
    more: int = 0

    def add(self, problem: Problem) -> None:
        """Keep the first thousand, count the rest."""
        if problem in self.problems:
            return
        if len(self.problems) < MOST:
            self.problems.append(problem)
        else:
            self.more += 1

    def cannot_compare(self, table: str, column: str) -> None:
        """Count a value that the table no longer holds in the form in which it was written."""
        name = f"{table}.{column}"
        self.incomparable[name] = self.incomparable.get(name, 0) + 1

    @property
    def uncheckable(self) -> int:
        """How many values could not be compared: an altered table leaves old leaves alone."""
        return sum(self.incomparable.values())

    @property
    def code(self) -> int:
        """0 good, 1 tampered, 2 cannot decide."""
        if self.problems:
            return TAMPERED
        return UNDECIDED if self.undecided else GOOD

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {"outcome": ("good", "tampered", "undecided")[self.code], **asdict(self), "uncheckable": self.uncheckable}
