"""The tree of RFC 6962 as it grows, as its few complete subtrees: one hash more for each leaf, and a root at any size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stewardship.journal import merkle


class Frontier:
    """The complete subtrees of the leaves so far, the largest first: what the binary form of the size names."""

    def __init__(self) -> None:
        self.size = 0
        self._complete: list[bytes] = []

    def extend(self, hashes: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
        """Append leaf hashes; (level, index, hash) of every hash that the tiles above level 0 now hold more."""
        for found in hashes:
            height, index = 0, self.size
            self.size += 1
            while index & 1:
                found = merkle.node_hash(self._complete.pop(), found)
                height += 1
                index >>= 1
                if height % 8 == 0:
                    yield height // 8, index, found
            self._complete.append(found)

    def root(self) -> bytes:
        """The root over everything appended."""
        if not self._complete:
            return merkle.EMPTY_ROOT
        *larger, found = self._complete
        for subtree in reversed(larger):
            found = merkle.node_hash(subtree, found)
        return found
