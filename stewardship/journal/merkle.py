"""The tree of RFC 6962 in tiles of 256 hashes, and the two proofs. Standard library only: the offline verifier uses it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

TILE: Final = 256
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

ReadTile = Callable[[int, int, int], bytes]
"""(level, index, width) → width × 32 bytes."""


class ProofError(Exception):
    """A proof that does not prove what it claims, or cannot be one."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf; the prefix keeps leaves and inner nodes apart."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_point(count: int) -> int:
    """The largest power of two below `count` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def full_hash(hashes: list[bytes]) -> bytes:
    """Root over a list whose length is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def cut(data: bytes) -> list[bytes]:
    """A tile's hashes."""
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def tile_widths(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, number of full tiles, width of the partial last one or 0), while a level holds any hash."""
    level = 0
    while size:
        yield level, size // TILE, size % TILE
        size //= TILE
        level += 1


class Tree:
    """A tree of one size, read from tiles; each tile is read once."""

    def __init__(self, size: int, read: ReadTile) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def _tile(self, level: int, index: int) -> list[bytes]:
        key = (level, index)
        if key not in self._tiles:
            held = self.size >> (8 * level)
            width = min(TILE, held - index * TILE)
            data = self._read(level, index, width)
            if len(data) < width * 32:
                raise ProofError(f"Tile {level}/{index} holds {len(data) // 32} hashes, {width} are needed.")
            self._tiles[key] = cut(data[: width * 32])
        return self._tiles[key]

    def _complete(self, height: int, index: int) -> bytes:
        """The complete subtree of 2^height leaves number `index`."""
        level, up = divmod(height, 8)
        first = index << up
        place = first % TILE
        return full_hash(self._tile(level, first // TILE)[place : place + (1 << up)])

    def _span(self, first: int, last: int) -> bytes:
        """Root over the leaves first..last-1, where first is a multiple of the span's leading power of two."""
        count = last - first
        if count & (count - 1) == 0:
            height = count.bit_length() - 1
            return self._complete(height, first >> height)
        middle = first + split_point(count)
        return node_hash(self._span(first, middle), self._span(middle, last))

    def root(self, size: int | None = None) -> bytes:
        """The root at `size` (the whole tree, when not given)."""
        size = self.size if size is None else size
        return self._span(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Audit path of leaf `index` in the tree of `size`; raises ProofError when the leaf is not in it."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise ProofError(f"Leaf {index} is not in a tree of {size}.")
        path: list[bytes] = []
        first, last = 0, size
        while last - first > 1:
            middle = first + split_point(last - first)
            if index < middle:
                path.append(self._span(middle, last))
                last = middle
            else:
                path.append(self._span(first, middle))
                first = middle
        return path[::-1]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Proof that the tree of `old` leaves is the beginning of the tree of `new` leaves."""
        new = self.size if new is None else new
        if not 0 < old <= new <= self.size:
            raise ProofError(f"There is no proof from size {old} to {new}.")
        path: list[bytes] = []
        first, last, whole = 0, new, True
        while old != last:
            middle = first + split_point(last - first)
            if old <= middle:
                path.append(self._span(middle, last))
                last = middle
            else:
                path.append(self._span(first, middle))
                first, whole = middle, False
        if not whole:
            path.append(self._span(first, last))
        return path[::-1]


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(not isinstance(item, bytes) or len(item) != 32 for item in hashes):
        raise ProofError("Every hash is 32 bytes.")


def verify_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    """RFC 9162 2.1.3.2: the leaf with this hash is at `index` of the tree with this size and root; raises ProofError."""
    _check_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise ProofError(f"Index {index} is outside a tree of size {size}.")
    node, last = index, size - 1
    found = leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("The proof is too long.")
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while node & 1 == 0 and node != 0:
                node >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("The proof is too short.")
    if found != root:
        raise ProofError("The proof leads to another root.")


def verify_consistency(size1: int, size2: int, proof: list[bytes], root1: bytes, root2: bytes) -> None:
    """RFC 9162 2.1.4.2: the tree (size2, root2) only appended to the tree (size1, root1); raises ProofError."""
    _check_hashes([root1, root2, *proof])
    if not 0 <= size1 <= size2:
        raise ProofError(f"A tree of size {size2} cannot continue one of size {size1}.")
    if size1 in (0, size2):
        if proof:
            raise ProofError("No proof is needed here, but one is given.")
        if root1 != (root2 if size1 == size2 else EMPTY_ROOT):
            raise ProofError("The same size has two roots.")
        return
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)
    if not path:
        raise ProofError("The proof is too short.")
    node, last = size1 - 1, size2 - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = path[0]
    for item in path[1:]:
        if last == 0:
            raise ProofError("The proof is too long.")
        if node & 1 or node == last:
            old = node_hash(item, old)
            new = node_hash(item, new)
            while node & 1 == 0 and node != 0:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, item)
        node >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("The proof is too short.")
    if old != root1:
        raise ProofError("The proof does not begin at the older root.")
    if new != root2:
        raise ProofError("The proof does not lead to the newer root.")


def append(size: int, hashes: list[bytes], partial: dict[int, bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Tiles (level, index, data) that change when `hashes` follow a tree of `size`.

    `partial` holds the data of each level's unfinished tile before.
    """
    level, start, fresh = 0, size, hashes
    while fresh:
        index, held = divmod(start, TILE)
        row = cut(partial.get(level, b""))[:held] + fresh
        if len(row) != held + len(fresh):
            raise ProofError(f"The unfinished tile {level}/{index} should hold {held} hashes.")
        above: list[bytes] = []
        for place in range(0, len(row), TILE):
            tile = row[place : place + TILE]
            yield level, index + place // TILE, b"".join(tile)
            if len(tile) == TILE:
                above.append(full_hash(tile))
        level, start, fresh = level + 1, start // TILE, above
