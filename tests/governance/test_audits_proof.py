"""One proof for many rows, against the tree itself."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.audits import subtree
from stewardship.journal.merkle import EMPTY_ROOT, ProofError, Tree, append, leaf_hash


def tree(size: int) -> tuple[Tree, list[bytes]]:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    tiles = {(level, index): data for level, index, data in append(0, leaves, {})}
    return Tree(size, lambda level, index, width: tiles.get((level, index), b"")[: width * 32]), leaves


@given(data=st.data(), size=st.integers(1, 700))
def test_any_rows_lead_to_the_root_and_a_missing_one_does_not(data: st.DataObject, size: int) -> None:
    made, leaves = tree(size)
    indexes = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=30)))
    nodes = subtree.build(size, indexes, made.inclusion)
    rows = {index: leaves[index] for index in indexes}
    assert subtree.root(size, rows, nodes) == made.root()
    gone = data.draw(st.sampled_from(indexes))
    with pytest.raises(ProofError):
        subtree.root(size, {index: row for index, row in rows.items() if index != gone}, nodes)
    wrong = {**rows, gone: hashlib.sha256(b"another").digest()}
    assert subtree.root(size, wrong, nodes) != made.root()


def test_an_empty_tree_holds_nothing() -> None:
    assert subtree.root(0, {}, {}) == EMPTY_ROOT
    with pytest.raises(ProofError):
        subtree.root(0, {0: b""}, {})


@pytest.mark.parametrize("index", [-1, 5])
def test_rows_outside_the_tree_are_refused(index: int) -> None:
    with pytest.raises(ProofError, match="inside"):
        subtree.root(5, {index: b"0" * 32}, {})


@pytest.mark.parametrize("span", [None, 7, "?", "AAAA", base64.b64encode(b"0" * 32).decode().rstrip("=")])
def test_a_span_that_is_no_hash_is_refused(span: object) -> None:
    _made, leaves = tree(2)
    with pytest.raises(ProofError):
        subtree.root(2, {0: leaves[0]}, {"1-2": span})


def test_a_span_that_nothing_needs_is_refused() -> None:
    made, leaves = tree(2)
    nodes = subtree.build(2, [0], made.inclusion)
    with pytest.raises(ProofError, match="nothing needs"):
        subtree.root(2, {0: leaves[0]}, {**nodes, "5-6": nodes["1-2"]})
