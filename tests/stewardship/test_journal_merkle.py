"""The tree against the reference: Certificate Transparency's roots, and a naive tree for every size up to 130."""

from __future__ import annotations

import hashlib

import pytest

from stewardship.journal import merkle
from stewardship.journal.merkle import ProofError, Tree, leaf_hash, node_hash, verify_consistency, verify_inclusion

CT_LEAVES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Store:
    """Tiles in memory, filled the way the sequencer fills them."""

    def __init__(self) -> None:
        self.size = 0
        self.tiles: dict[tuple[int, int], bytes] = {}

    def read(self, level: int, index: int, width: int) -> bytes:
        return self.tiles.get((level, index), b"")[: width * 32]

    def add(self, hashes: list[bytes]) -> None:
        partial = {level: self.read(level, full, width) for level, full, width in merkle.tile_widths(self.size) if width}
        for level, index, data in merkle.append(self.size, hashes, partial):
            self.tiles[(level, index)] = data
        self.size += len(hashes)

    def tree(self) -> Tree:
        return Tree(self.size, self.read)


def naive(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = merkle.split_point(len(hashes))
    return node_hash(naive(hashes[:k]), naive(hashes[k:]))


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_the_roots_of_certificate_transparency() -> None:
    store = Store()
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        store.add([leaf_hash(leaf)])
        assert store.tree().root().hex() == root
    assert Store().tree().root() == hashlib.sha256(b"").digest()


def test_every_proof_up_to_130_leaves_verifies() -> None:
    hashes = numbered(130)
    store = Store()
    store.add(hashes)
    tree = store.tree()
    roots = [naive(hashes[:size]) for size in range(131)]
    for size in range(1, 131):
        assert tree.root(size) == roots[size]
        for index in range(size):
            verify_inclusion(hashes[index], index, size, tree.inclusion(index, size), roots[size])
        for old in range(1, size + 1):
            verify_consistency(old, size, tree.consistency(old, size), roots[old], roots[size])


@pytest.mark.parametrize("batches", [[1] * 300, [255, 1, 1], [256], [257, 300], [70_000]])
def test_tiles_do_not_depend_on_the_batches(batches: list[int]) -> None:
    hashes = numbered(sum(batches))
    store, at = Store(), 0
    for count in batches:
        store.add(hashes[at : at + count])
        at += count
    whole = Store()
    whole.add(hashes)
    assert store.tiles == whole.tiles
    root = store.tree().root()
    assert root == naive(hashes)
    for index in (0, 1, at // 2, at - 1):
        verify_inclusion(hashes[index], index, at, store.tree().inclusion(index), root)
    old = max(at // 3, 1)
    verify_consistency(old, at, store.tree().consistency(old), naive(hashes[:old]), root)


def test_a_wrong_inclusion_proof_is_refused() -> None:
    store = Store()
    hashes = numbered(11)
    store.add(hashes)
    tree, root = store.tree(), store.tree().root()
    path = tree.inclusion(6)
    bad = [
        (hashes[5], 6, 11, path, root),
        (hashes[6], 5, 11, path, root),
        (hashes[6], 6, 17, path, root),
        (hashes[6], 6, 4, path, root),
        (hashes[6], -1, 11, path, root),
        (hashes[6], 6, 0, path, root),
        (hashes[6], 6, 2**63, path, root),
        (hashes[6], 6, 11, path[:-1], root),
        (hashes[6], 6, 11, [*path, root], root),
        (hashes[6], 6, 11, path[::-1], root),
        (hashes[6], 6, 11, [item[:31] for item in path], root),
        (hashes[6], 6, 11, path, b"\0" * 32),
        (hashes[6][:5], 6, 11, path, root),
    ]
    for arguments in bad:
        with pytest.raises(ProofError):
            verify_inclusion(*arguments)


def test_a_wrong_consistency_proof_is_refused() -> None:
    store = Store()
    hashes = numbered(11)
    store.add(hashes)
    tree = store.tree()
    old, new, path = naive(hashes[:6]), tree.root(), tree.consistency(6)
    bad = [
        (7, 11, path, old, new),
        (6, 17, path, old, new),
        (11, 6, path, new, old),
        (-1, 11, path, old, new),
        (6, 11, path[1:], old, new),
        (6, 11, [], old, new),
        (6, 11, [*path, new], old, new),
        (6, 11, path, new, new),
        (6, 11, path, old, old),
        (11, 11, path, new, new),
        (11, 11, [], old, new),
        (0, 11, [], old, new),
        (4, 11, [*tree.consistency(4), new], naive(hashes[:4]), new),
        (4, 11, tree.consistency(4)[:-1], naive(hashes[:4]), new),
    ]
    for arguments in bad:
        with pytest.raises(ProofError):
            verify_consistency(*arguments)
    verify_consistency(11, 11, [], new, new)
    verify_consistency(0, 11, [], merkle.EMPTY_ROOT, new)


def test_a_tree_refuses_what_it_does_not_hold() -> None:
    store = Store()
    store.add(numbered(5))
    for index, size in ((5, None), (-1, None), (2, 6)):
        with pytest.raises(ProofError):
            store.tree().inclusion(index, size)
    for old, new in ((0, 5), (6, 5), (3, 9)):
        with pytest.raises(ProofError):
            store.tree().consistency(old, new)
    with pytest.raises(ProofError, match="holds 5 hashes, 9 are needed"):
        Tree(9, store.read).root()
    with pytest.raises(ProofError, match="should hold 5"):
        list(merkle.append(5, numbered(1), {}))
