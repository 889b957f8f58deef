"""Pure rules of the pages over several floors: when something is urgent, how figures add up a tree, in which order a tree is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

Key = TypeVar("Key")
Cell = TypeVar("Cell")


class Bucket(StrEnum):
    """How urgent something is, in the order in which it is shown."""

    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    WAITING = "waiting"


class Waiting(Protocol):
    """What a rule must know of a thing that waits."""

    @property
    def due(self) -> datetime | None: ...
    @property
    def waiting_on(self) -> str: ...
    @property
    def bucket_hint(self) -> str: ...


Item = TypeVar("Item", bound=Waiting)


def bucket(item: Waiting, *, at: datetime, day_ends: datetime) -> Bucket:
    """Where it belongs. What waits for somebody else is nobody's hurry here, however late it is."""
    if item.waiting_on or item.bucket_hint == Bucket.WAITING:
        return Bucket.WAITING
    if item.due is not None and item.due < at:
        return Bucket.OVERDUE
    if item.bucket_hint == Bucket.TODAY or (item.due is not None and item.due <= day_ends):
        return Bucket.TODAY
    return Bucket.LATER


def grouped(items: Iterable[Item], *, at: datetime, day_ends: datetime) -> dict[Bucket, list[Item]]:
    """The items by urgency, every bucket present, each in the order given."""
    found: dict[Bucket, list[Item]] = {name: [] for name in Bucket}
    for item in items:
        found[bucket(item, at=at, day_ends=day_ends)].append(item)
    return found


def rolled_up(counts: Mapping[tuple[Key, Cell], int], parents: Mapping[Key, Key | None]) -> dict[tuple[Key, Cell], int]:
    """Each node's cells with those of everything below it added; a node that `parents` does not know counts for itself only."""
    total: dict[tuple[Key, Cell], int] = defaultdict(int)
    for (node, cell), n in counts.items():
        step: Key | None = node
        seen: set[Key] = set()
        while step is not None and step not in seen:
            total[step, cell] += n
            seen.add(step)
            step = parents.get(step)
    return dict(total)


def in_order(parents: Mapping[Key, Key | None], sort: Mapping[Key, str], shown: Iterable[Key]) -> Sequence[tuple[Key, int]]:
    """The shown nodes as a tree read from the top, with their depth among what is shown; siblings by name."""
    wanted = set(shown)
    children: dict[Key | None, list[Key]] = defaultdict(list)
    for node in wanted:
        above = parents.get(node)
        while above is not None and above not in wanted:
            above = parents.get(above)
        children[above].append(node)
    found: list[tuple[Key, int]] = []
    waiting = [(node, 0) for node in sorted(children[None], key=lambda node: sort[node], reverse=True)]
    while waiting:
        node, depth = waiting.pop()
        found.append((node, depth))
        waiting += [(child, depth + 1) for child in sorted(children[node], key=lambda child: sort[child], reverse=True)]
    return found
