"""Walking a tree that is known as child → parent; and a counter that tells caches when it changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

_changes = 0


def changed() -> None:
    """A region was saved: what was derived from the tree in this process is stale."""
    global _changes
    _changes += 1


def changes() -> int:
    """How often the tree changed in this process."""
    return _changes


def below(parents: Mapping[UUID, UUID | None], ids: Iterable[UUID]) -> frozenset[UUID]:
    """The given nodes that exist, and everything below them."""
    children: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for child, parent in parents.items():
        if parent is not None:
            children[parent].append(child)
    found: set[UUID] = set()
    waiting = [node for node in ids if node in parents]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(children[node])
    return frozenset(found)


def above(parents: Mapping[UUID, UUID | None], node: UUID) -> list[UUID]:
    """The node, its parent, and so on up to the root."""
    path: list[UUID] = []
    step: UUID | None = node
    while step is not None and step not in path:
        path.append(step)
        step = parents.get(step)
    return path
