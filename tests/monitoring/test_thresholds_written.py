"""Bounds and freedoms as people write them: whatever is written is read again, and what cannot be read is named by its line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.thresholds import written

numbers = st.one_of(st.integers(-(10**12), 10**12), st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=6))
bounds = st.one_of(numbers, st.lists(numbers, min_size=2, max_size=2))
freedoms = st.one_of(st.sampled_from(written.WORDS), st.fixed_dictionaries({"low": numbers, "high": numbers}))
names = st.sampled_from(["observe", "investigate", "act", "for_windows", "min_n"])


@given(bounds)
def test_a_bound_is_read_as_it_was_written(bound: Any) -> None:
    assert written.read_bound(written.write(bound)) == bound


@given(st.dictionaries(names, freedoms))
def test_freedoms_are_read_as_they_were_written(said: dict[str, Any]) -> None:
    assert written.read_lines(written.write_lines(said), written.read_freedom) == said


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    told = []
    for read in (written.read_bound, written.read_freedom, lambda each: written.read_lines(each, written.read_bound)):
        try:
            read(text)
        except written.NotWritten as refused:
            told.append(str(refused))
    assert all(told)


def test_whole_numbers_stay_whole_and_fractions_exact() -> None:
    assert written.read_bound("50") == 50
    assert isinstance(written.read_bound("50"), int)
    assert written.read_bound("0.10") == Decimal("0.10")
    assert written.write(Decimal("1E+3")) == "1000"
    assert written.read_bound("-0.5 – 0.5") == [Decimal("-0.5"), Decimal("0.5")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("observe: 0.1\n\nact 0.3", "Line 3: write a name, a colon and a value."),
        ("act:", "Line 1: write a name, a colon and a value."),
        ("act: 1\nact: 2", "Line 2: act was said above."),
        ("act: 0,3", "Line 1: “0,3” is no number; write 0.25 with a point, for a range 0.8 to 1.2."),
        ("act: NaN", "Line 1: “NaN” is no number"),
        ("act: 0_25", "Line 1: “0_25” is no number"),
        ("act: 1e999999999999999999999999999999999999999", "is no number"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(text: str, told: str) -> None:
    with pytest.raises(written.NotWritten) as refused:
        written.read_lines(text, written.read_bound)
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["loose", "5", "0.1 to x", "to", ""])
def test_a_freedom_is_one_of_three_things(text: str) -> None:
    with pytest.raises(written.NotWritten):
        written.read_freedom(text)
