"""Leaf v1 is frozen: these bytes must never change."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stewardship.journal import leaf, merkle
from stewardship.journal.leaf import LeafError
from stewardship.journal.stored import written

HEAD = {
    "v": 1,
    "log": "log.example",
    "tbl": "some_historicalthing",
    "hid": "42",
    "obj": "0b8f8a3e-0000-4000-8000-000000000001",
    "op": "~",
    "at": "2026-11-22T01:02:03.000004Z",
    "recorded": "2026-11-22T01:02:04.000000Z",
    "actor": "00000000-0000-4000-8000-000000000001",
    "schema": "ab" * 32,
    "nonce": "AAAAAAAAAAAAAAAAAAAAAA==",
    "prev": "",
    "n": 1,
}


def _salt(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


def test_the_frozen_leaf() -> None:
    values = {"name": "Zürich 😀", "email": "a@b.example", "count": 3, "big": 2**60, "live": True, "gone": None, "text": "x" * 1025}
    data = leaf.build(HEAD, values, {"email", "gone"}, _salt)
    document = json.loads(data)
    assert document["f"]["big"] == "1152921504606846976"
    assert document["f"]["text"] == {"h": hashlib.sha256(b"x" * 1025).hexdigest(), "len": 1025}
    assert document["f"]["gone"] is None
    committed = hashlib.sha256(b"\x02" + _salt("email") + b'"a@b.example"').digest()
    assert document["f"]["email"] == {"c": base64.b64encode(committed).decode()}
    assert leaf.parse(data) == document
    assert merkle.leaf_hash(data).hex() == "15c3428bd944d4343b91c2b17d433baae7af2e26ce455b6946afaecfaf99031c"


def test_a_wide_row_falls_back_to_digests_and_a_hopeless_one_is_refused() -> None:
    data = leaf.build(HEAD, {f"f{number:03}": "ä" * 400 for number in range(100)}, (), _salt)
    assert len(data) <= leaf.LIMIT
    assert json.loads(data)["f"]["f000"] == {"h": hashlib.sha256(("ä" * 400).encode()).hexdigest(), "len": 800}
    with pytest.raises(LeafError, match="a leaf holds 65535"):
        leaf.build(HEAD, {f"f{number:05}": "x" * 60 for number in range(2_000)}, (), _salt)


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(LeafError, match="not Unicode"):
        leaf.build(HEAD, {"name": "\ud800"}, (), _salt)


GOOD = leaf.build(HEAD, {"a": 1, "b": "two"}, (), _salt)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 70_000,
        b"[" * 50_000,
        GOOD + b" ",
        GOOD.replace(b'"a":1', b'"a":1.0'),
        GOOD.replace(b'"a":1', b'"a":NaN'),
        GOOD.replace(b'"a":1', b'"a":01'),
        GOOD.replace(b'"a":1', b'"a":-0'),
        GOOD.replace(b'"a":1', b'"a":9007199254740992'),
        GOOD.replace(b'"a":1', b'"a":123456789012345678901234567890'),
        GOOD.replace(b'"a":1', b'"a":1,"a":1'),
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"two"', b'"\\u0074wo"'),
        GOOD.replace(b'"f":{"a":1,"b":"two"}', b'"f":[]'),
        GOOD.replace(b'"two"', b'"\\ud800"'),
    ],
)
def test_only_the_canonical_form_is_a_leaf(data: bytes) -> None:
    with pytest.raises(LeafError):
        leaf.parse(data)


def test_negative_whole_numbers_are_kept() -> None:
    assert leaf.parse(GOOD.replace(b'"a":1', b'"a":-5'))["f"]["a"] == -5


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=30)
    )
)
def test_whatever_is_built_parses_back_to_the_same_bytes(values: dict[str, Any]) -> None:
    try:
        data = leaf.build(HEAD, values, (), _salt)
    except LeafError:
        assert any(isinstance(value, str) and any(0xD800 <= ord(character) < 0xE000 for character in value) for value in values.values())
        return
    assert leaf.canonical(leaf.parse(data)) == data


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.500"), "1.500"),
        (Decimal("1E+3"), "1000"),
        (datetime(2026, 1, 2, 4, 4, 5, 6, tzinfo=timezone(timedelta(hours=1))), "2026-01-02T03:04:05.000006Z"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.000000Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(seconds=1.5), "1500000"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x01\xff", "01ff"),
        (memoryview(b"\x02"), "02"),
        (None, None),
        (True, True),
        (7, 7),
        ("as it is", "as it is"),
    ],
)
def test_values_are_written_the_same_on_every_database(value: Any, text: Any) -> None:
    assert written(value) == text


def test_a_float_has_no_written_form() -> None:
    with pytest.raises(TypeError, match="no exact written form"):
        written(0.1)
