"""One proof for many rows: the hashes of the parts of the tree that hold none of them. Standard library only.

A span "first-last" is the half-open range of leaves below one node of the RFC 6962 tree. Together with the rows' own leaf
hashes the listed spans give the root; a row that is left out leaves a span that nobody can compute.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stewardship.journal.merkle import EMPTY_ROOT, ProofError, node_hash, split_point

Inclusion = Callable[[int], Sequence[bytes]]
"""Audit path of one leaf, from the leaf upwards."""


def build(size: int, indexes: Sequence[int], inclusion: Inclusion) -> dict[str, str]:
    """The spans (base64 by "first-last") that the rows at these ascending indexes need in a tree of `size` leaves."""
    nodes: dict[str, str] = {}
    for index in indexes:
        first, last = 0, size
        for sibling in reversed(inclusion(index)):
            middle = first + split_point(last - first)
            span = (middle, last) if index < middle else (first, middle)
            first, last = (first, middle) if index < middle else (middle, last)
            if not _within(indexes, *span):
                nodes[f"{span[0]}-{span[1]}"] = base64.b64encode(sibling).decode()
    return nodes


def _within(indexes: Sequence[int], first: int, last: int) -> Sequence[int]:
    return indexes[bisect_left(indexes, first) : bisect_left(indexes, last)]


def root(size: int, leaves: Mapping[int, bytes], nodes: Mapping[str, Any]) -> bytes:
    """The root that these leaf hashes and spans give; raises ProofError when one is missing, superfluous or malformed."""
    if size == 0:
        if leaves or nodes:
            raise ProofError("An empty tree holds no rows.")
        return EMPTY_ROOT
    indexes = sorted(leaves)
    if not indexes or indexes[0] < 0 or indexes[-1] >= size:
        raise ProofError(f"The rows are not all inside a tree of {size} leaves.")
    used: set[str] = set()

    def span(first: int, last: int) -> bytes:
        if not _within(indexes, first, last):
            name = f"{first}-{last}"
            used.add(name)
            return _hash(nodes.get(name), name)
        if last - first == 1:
            return leaves[first]
        middle = first + split_point(last - first)
        return node_hash(span(first, middle), span(middle, last))

    found = span(0, size)
    if len(used) != len(nodes):
        raise ProofError(f"The proof holds {len(nodes) - len(used)} spans that nothing needs.")
    return found


def _hash(text: Any, name: str) -> bytes:
    if not isinstance(text, str):
        raise ProofError(f"Neither a row nor a hash is given for the leaves {name}.")
    try:
        value = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ProofError(f"The hash of the leaves {name} is not base64.") from error
    if len(value) != 32 or base64.b64encode(value).decode() != text:
        raise ProofError(f"The hash of the leaves {name} is not 32 bytes.")
    return value
