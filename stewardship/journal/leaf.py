"""Leaf v1: how one governed row is written down for ever. FROZEN: a change here is a new version beside it.

Standard library only, so that anybody can check a leaf without this portal.

    {"v":1, "log", "tbl", "hid", "obj", "op", "at", "recorded", "actor", "schema", "nonce", "prev", "n", "f"}

Every value of "f" is null, true, false, an integer within ±(2^53-1) or text; larger integers, decimals, dates and ids are
text. Text over 1,024 bytes (64, where the leaf would not fit otherwise) is {"h": SHA-256 in hex, "len": bytes}.
A personal field and the reason are {"c": base64 of SHA-256(0x02 ‖ salt ‖ canonical value)}, so that erasing the salt
makes the value unrecoverable while the tree stays true. "nonce" keeps hashes in public tiles from being guessed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

VERSION: Final = 1
LIMIT: Final = 65_535  # an entry bundle carries a leaf's length in two bytes
WIDE: Final = 1_024
NARROW: Final = 64
LARGEST: Final = 2**53 - 1
KEYS: Final = frozenset({"v", "log", "tbl", "hid", "obj", "op", "at", "recorded", "actor", "schema", "nonce", "prev", "n", "f"})

Value = None | bool | int | str
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False).encode


class LeafError(ValueError):
    """Not a leaf in canonical form."""


def canonical(document: Any) -> bytes:
    """The one way to write a document down; raises LeafError on text that is not Unicode. The caller keeps floats out."""
    try:
        return _encode(document).encode()
    except UnicodeEncodeError as error:
        raise LeafError(f"This text is not Unicode: {error}") from error


def commitment(salt: bytes, value: Value) -> dict[str, str]:
    """A value that only the holder of its salt can recognise."""
    return {"c": base64.b64encode(hashlib.sha256(b"\x02" + salt + canonical(value)).digest()).decode()}


def short(value: Value, limit: int = WIDE) -> Value | dict[str, Any]:
    """The value, or the digest of a text longer than `limit` bytes."""
    if isinstance(value, str) and len(value) * 4 > limit:
        raw = value.encode("utf-8", "surrogatepass")
        if len(raw) > limit:
            return {"h": hashlib.sha256(raw).hexdigest(), "len": len(raw)}
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        return str(value)
    return value


def fields(values: Mapping[str, Value], personal: Collection[str], salt: Callable[[str], bytes], limit: int = WIDE) -> dict[str, Any]:
    """The "f" of a leaf. An absent personal value (null or "") has nothing to hide and stays as it is."""
    return {
        name: commitment(salt(name), value) if name in personal and value not in (None, "") else short(value, limit)
        for name, value in values.items()
    }


def build(head: Mapping[str, Any], values: Mapping[str, Value], personal: Collection[str], salt: Callable[[str], bytes]) -> bytes:
    """The canonical bytes of one leaf; raises LeafError when it cannot fit."""
    for limit in (WIDE, NARROW):
        data = canonical({**head, "f": fields(values, personal, salt, limit)})
        if len(data) <= LIMIT:
            return data
    raise LeafError(f"This row needs {len(data)} bytes; a leaf holds {LIMIT}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise LeafError("A name stands twice.")
    return document


def _refuse(text: str) -> Any:
    raise LeafError(f"{text[:40]} is not a number of a leaf.")


def _whole(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > LARGEST:
        _refuse(text)
    return number


def parse(data: bytes) -> dict[str, Any]:
    """The leaf these bytes are; raises LeafError unless they are exactly its canonical form."""
    if len(data) > LIMIT:
        raise LeafError(f"{len(data)} bytes are more than a leaf holds.")
    try:
        document = json.loads(data.decode(), object_pairs_hook=_unique, parse_float=_refuse, parse_constant=_refuse, parse_int=_whole)
    except LeafError:
        raise
    except (ValueError, RecursionError) as error:
        raise LeafError(f"This is not JSON: {error}") from error
    if not isinstance(document, dict) or set(document) != KEYS or document["v"] != VERSION or not isinstance(document["f"], dict):
        raise LeafError("These are not the names of leaf version 1.")
    if canonical(document) != data:
        raise LeafError("This is not the canonical form.")
    return document
