"""The evaluator: levels, hysteresis, duration, small samples; and the properties that must hold for any series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.thresholds.rules import ALERTING, Band, Judgement, Level, OutOfOrder, Point, Reading, State, due_by, fold, step

START = datetime(2026, 11, 1, tzinfo=UTC)
BANDS = {Level.OBSERVE: Band(high=Decimal("0.1")), Level.INVESTIGATE: Band(high=Decimal("0.2")), Level.ACT: Band(high=Decimal("0.3"))}
PLAIN = Judgement(BANDS)


def points(*values: str, n: int | None = None) -> list[Point]:
    return [Point(START + timedelta(hours=hour), START + timedelta(hours=hour + 1), Decimal(value), n) for hour, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        (["0.05"], []),
        (["0.1"], []),
        (["0.11"], ["observe"]),
        (["0.21"], ["investigate"]),
        (["0.31"], ["act"]),
        (["0.11", "0.35", "0.25", "0.05"], ["observe", "act", "investigate", "ok"]),
    ],
)
def test_each_bound_is_allowed_and_what_lies_beyond_is_not(values: list[str], levels: list[str]) -> None:
    _state, transitions = fold(points(*values), PLAIN)
    assert [transition.after.value for transition in transitions] == levels


def test_a_breach_ends_only_inside_the_margin() -> None:
    wide = Judgement(BANDS, margin=Decimal("0.02"))
    state, transitions = fold(points("0.31", "0.29", "0.31", "0.29"), wide)
    assert [transition.after for transition in transitions] == [Level.ACT]
    state, transitions = fold(points("0.31", "0.279"), wide)
    assert state.level is Level.INVESTIGATE
    assert state.since == transitions[-1].point.end


def test_a_level_is_reached_only_after_enough_windows_in_a_row() -> None:
    patient = Judgement(BANDS, for_windows=3)
    assert fold(points("0.4", "0.4"), patient)[0].level is Level.OK
    assert fold(points("0.4", "0.4", "0.05", "0.4"), patient)[0].level is Level.OK
    assert fold(points("0.4", "0.15", "0.4"), patient)[0].level is Level.OBSERVE
    assert fold(points("0.4", "0.4", "0.4"), patient)[0].level is Level.ACT


def test_too_small_a_sample_neither_raises_nor_clears() -> None:
    careful = Judgement(BANDS, min_n=50)
    state, _none = fold(points("0.4", n=49), careful)
    assert (state.level, state.reading) == (Level.OK, Reading.INSUFFICIENT)
    state, _none = fold(points("0.4", n=None), careful)
    assert state.reading is Reading.INSUFFICIENT
    high, _raised = fold(points("0.4", n=50), careful)
    later = Point(START + timedelta(hours=5), START + timedelta(hours=6), Decimal("0.01"), 3)
    after, changed = step(high, later, careful)
    assert (after.level, after.reading, changed) == (Level.ACT, Reading.INSUFFICIENT, ())


def test_low_is_bad_where_the_band_says_so_and_a_range_is_bad_on_both_sides() -> None:
    low = Judgement({Level.ACT: Band(low=Decimal("0.05"))})
    assert fold(points("0.04"), low)[0].level is Level.ACT
    assert fold(points("0.9"), low)[0].level is Level.OK
    both = Judgement({Level.ACT: Band(Decimal(1), Decimal(2))})
    assert [fold(points(value), both)[0].level for value in ("0.9", "1", "2", "2.1")] == [Level.ACT, Level.OK, Level.OK, Level.ACT]


def test_a_point_older_than_the_newest_is_refused_so_that_the_caller_folds_again() -> None:
    state, _raised = fold(points("0.4", "0.4"), PLAIN)
    with pytest.raises(OutOfOrder):
        step(state, points("0.1")[0], PLAIN)


def test_silence_is_due_after_interval_and_grace() -> None:
    assert due_by(START, timedelta(hours=1), timedelta(minutes=5)) == START + timedelta(minutes=65)


# --- properties ---------------------------------------------------------------------------------

values = st.decimals(min_value=0, max_value=1, places=2)
judgements = st.builds(
    lambda bounds, windows, margin: Judgement(
        {level: Band(high=bound) for level, bound in zip(ALERTING, sorted(bounds), strict=True)}, for_windows=windows, margin=margin
    ),
    st.lists(values, min_size=3, max_size=3),
    st.integers(1, 4),
    st.decimals(min_value=0, max_value="0.2", places=2),
)


def series(found: list[Decimal]) -> list[Point]:
    return points(*(str(value) for value in found))


@settings(deadline=None)  # a busy machine is no finding
@given(st.lists(st.tuples(values, values), min_size=1, max_size=30), judgements)
def test_worse_values_never_give_a_lower_level(pairs: list[tuple[Decimal, Decimal]], judgement: Judgement) -> None:
    worse, better = State(), State()
    for bad, good in zip(series([max(pair) for pair in pairs]), series([min(pair) for pair in pairs]), strict=True):
        worse, _changed = step(worse, bad, judgement)
        better, _changed = step(better, good, judgement)
        assert worse.level.rank >= better.level.rank


@settings(deadline=None)  # a busy machine is no finding
@given(st.lists(values, max_size=40), judgements, st.data())
def test_folding_in_chunks_is_folding_all(found: list[Decimal], judgement: Judgement, data: st.DataObject) -> None:
    every = series(found)
    cut = data.draw(st.integers(0, len(every)))
    whole, transitions = fold(every, judgement)
    first, before = fold(every[:cut], judgement)
    second, after = fold(every[cut:], judgement, first)
    assert (second, before + after) == (whole, transitions)


@settings(deadline=None)  # a busy machine is no finding
@given(st.lists(values, min_size=1, max_size=20), judgements, st.randoms())
def test_the_order_of_arrival_does_not_matter(found: list[Decimal], judgement: Judgement, random: object) -> None:
    every = series(found)
    shuffled = list(every)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled, judgement) == fold(every, judgement)


@settings(deadline=None)  # a busy machine is no finding
@given(st.lists(st.decimals(min_value="0.261", max_value="0.299", places=3), min_size=2, max_size=30))
def test_nothing_flaps_between_a_bound_and_its_margin(found: list[Decimal]) -> None:
    judgement = Judgement({Level.ACT: Band(high=Decimal("0.28"))}, margin=Decimal("0.02"))
    _state, transitions = fold(series(found), judgement)
    assert len(transitions) <= 1


@settings(deadline=None)  # a busy machine is no finding
@given(st.lists(values, max_size=40), judgements)
def test_transitions_tell_the_whole_story(found: list[Decimal], judgement: Judgement) -> None:
    state, transitions = fold(series(found), judgement)
    assert all(one.before is not one.after for one in transitions)
    assert all(one.after is two.before for one, two in pairwise(transitions))
    assert (transitions[-1].after if transitions else Level.OK) is state.level
