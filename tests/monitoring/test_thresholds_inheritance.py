"""Regions may tighten what they inherit; what goes further is clamped and named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.thresholds.inherit import (
    Freedom,
    Parameter,
    Said,
    Unusable,
    allowed,
    band,
    check_levels,
    freedom,
    judgement,
    number,
    parse,
    settle,
)
from monitoring.thresholds.rules import Band, Direction, Level

HIGHER, LOWER, OUTSIDE = Direction.HIGHER, Direction.LOWER, Direction.OUTSIDE
BASE: dict[Parameter, Any] = {
    Parameter.OBSERVE: Decimal("0.1"),
    Parameter.ACT: Decimal("0.3"),
    Parameter.FOR_WINDOWS: 3,
    Parameter.MIN_N: 50,
}


def settled(*said: Said, base: dict[Parameter, Any] = BASE, direction: Direction = HIGHER, **freedoms: Freedom) -> Any:
    return settle(base, "Global", said, direction, {Parameter(name): value for name, value in freedoms.items()})


def test_the_nearest_stricter_value_wins_and_is_named() -> None:
    got = settled(Said("EU", Parameter.ACT, Decimal("0.25")), Said("Germany", Parameter.ACT, Decimal("0.2")))[Parameter.ACT]
    assert (got.value, got.node, got.clamped) == (Band(high=Decimal("0.2")), "Germany", ())


def test_a_looser_value_is_clamped_and_the_node_is_named() -> None:
    got = settled(Said("EU", Parameter.ACT, Decimal("0.25")), Said("Germany", Parameter.ACT, Decimal("0.4")))[Parameter.ACT]
    assert (got.value, got.node, got.clamped) == (Band(high=Decimal("0.25")), "EU", ("Germany",))


@pytest.mark.parametrize(
    ("parameter", "inherited", "tighter", "looser"),
    [(Parameter.FOR_WINDOWS, 3, 2, 4), (Parameter.MIN_N, 50, 30, 500), (Parameter.MARGIN, Decimal(1), Decimal(2), Decimal("0.5"))],
)
def test_each_parameter_has_its_own_idea_of_strict(parameter: Parameter, inherited: Any, tighter: Any, looser: Any) -> None:
    assert settled(Said("EU", parameter, tighter), base={parameter: inherited})[parameter].value == tighter
    assert settled(Said("EU", parameter, looser), base={parameter: inherited})[parameter].value == inherited


def test_what_nobody_said_above_may_be_added() -> None:
    got = settled(Said("EU", Parameter.EXPECTED_EVERY, 60))[Parameter.EXPECTED_EVERY]
    assert (got.value, got.node) == (60, "EU")


def test_a_fixed_parameter_stays_and_a_free_one_moves_within_its_range() -> None:
    fixed = settled(Said("EU", Parameter.ACT, Decimal("0.2")), act=Freedom(fixed=True))[Parameter.ACT]
    assert (fixed.value, fixed.clamped) == (Band(high=Decimal("0.3")), ("EU",))
    nothing = settled(Said("EU", Parameter.EXPECTED_EVERY, 5), expected_every_minutes=Freedom(fixed=True))
    assert Parameter.EXPECTED_EVERY not in nothing
    free = Freedom(low=Decimal("0.2"), high=Decimal("0.5"))
    assert settled(Said("EU", Parameter.ACT, Decimal("0.45")), act=free)[Parameter.ACT].value == Band(high=Decimal("0.45"))
    beyond = settled(Said("EU", Parameter.ACT, Decimal("0.9")), act=free)[Parameter.ACT]
    assert (beyond.value, beyond.clamped) == (Band(high=Decimal("0.5")), ("EU",))
    few = Freedom(low=Decimal(1), high=Decimal(5))
    assert settled(Said("EU", Parameter.FOR_WINDOWS, 9), for_windows=few)[Parameter.FOR_WINDOWS].value == 5
    assert settled(Said("EU", Parameter.MARGIN, Decimal(9)), margin=few)[Parameter.MARGIN].value == Decimal(5)


def test_ranges_meet_and_never_become_empty() -> None:
    base = {Parameter.ACT: [Decimal(1), Decimal(5)]}
    assert settled(Said("EU", Parameter.ACT, [Decimal(2), Decimal(9)]), base=base, direction=OUTSIDE)[Parameter.ACT].value == Band(
        Decimal(2), Decimal(5)
    )
    apart = settled(Said("EU", Parameter.ACT, [Decimal(7), Decimal(9)]), base=base, direction=OUTSIDE)[Parameter.ACT]
    assert (apart.value, apart.clamped) == (Band(Decimal(1), Decimal(5)), ("EU",))


def test_a_tightened_act_pulls_the_milder_levels_along() -> None:
    got = judgement(settled(Said("EU", Parameter.ACT, Decimal("0.05"))))
    assert got.bands == {Level.ACT: Band(high=Decimal("0.05")), Level.OBSERVE: Band(high=Decimal("0.05"))}
    assert (got.for_windows, got.min_n, got.margin) == (3, 50, Decimal(0))


@pytest.mark.parametrize(
    ("direction", "parameter", "value"),
    [
        (HIGHER, Parameter.ACT, "0.3"),
        (HIGHER, Parameter.ACT, True),
        (HIGHER, Parameter.ACT, Decimal("NaN")),
        (OUTSIDE, Parameter.ACT, Decimal(1)),
        (OUTSIDE, Parameter.ACT, [Decimal(1)]),
        (OUTSIDE, Parameter.ACT, [Decimal(2), Decimal(1)]),
        (HIGHER, Parameter.MARGIN, Decimal(-1)),
        (HIGHER, Parameter.FOR_WINDOWS, 0),
        (HIGHER, Parameter.FOR_WINDOWS, Decimal("1.5")),
        (HIGHER, Parameter.MIN_N, -1),
    ],
)
def test_what_is_no_threshold_is_refused(direction: Direction, parameter: Parameter, value: Any) -> None:
    with pytest.raises(Unusable) as refused:
        parse(direction, parameter, value)
    assert refused.value.parameter == parameter


def test_zero_samples_means_that_size_is_not_asked_for() -> None:
    assert parse(HIGHER, Parameter.MIN_N, 0) == 0
    assert number(3, "x") == Decimal(3)
    assert parse(HIGHER, Parameter.MARGIN, Decimal("0.5")) == Decimal("0.5")


@pytest.mark.parametrize(
    ("direction", "levels", "margin"),
    [
        (HIGHER, {}, 0),
        (HIGHER, {"panic": Decimal(1)}, 0),
        (HIGHER, {"observe": Decimal(2), "act": Decimal(1)}, 0),
        (LOWER, {"observe": Decimal(1), "investigate": Decimal(2)}, 0),
        (OUTSIDE, {"act": [Decimal(1), Decimal(2)]}, 1),
    ],
)
def test_levels_out_of_order_are_refused(direction: Direction, levels: dict[str, Any], margin: int) -> None:
    with pytest.raises(Unusable):
        check_levels(direction, levels, Decimal(margin))


def test_levels_in_order_are_accepted() -> None:
    check_levels(HIGHER, {"observe": Decimal(1), "act": Decimal(2)})
    check_levels(LOWER, {"observe": Decimal(2), "act": Decimal(1)})


@pytest.mark.parametrize("said", ["loose", {"low": Decimal(1)}, {"low": Decimal(2), "high": Decimal(1)}, 3])
def test_an_unknown_freedom_is_refused(said: Any) -> None:
    with pytest.raises(Unusable):
        freedom(said, "act")


def test_freedoms_in_words() -> None:
    assert freedom("tighten", "act") == Freedom()
    assert freedom("fixed", "act").fixed
    assert freedom({"low": Decimal(1), "high": Decimal(2)}, "act").free


edges = st.one_of(st.none(), st.integers(-5, 5).map(Decimal))


@settings(deadline=None)  # a busy machine is no finding
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 5)), min_size=1, max_size=6), st.sampled_from([HIGHER, LOWER, OUTSIDE]))
def test_no_node_ever_loosens_what_it_inherits(wanted: list[tuple[int, int]], direction: Direction) -> None:
    def stored(low: int, width: int) -> Any:
        return [Decimal(low), Decimal(low + width)] if direction is OUTSIDE else Decimal(low)

    inherited = band(direction, stored(*wanted[0]), "act")
    for low, width in wanted[1:]:
        got = allowed(Parameter.ACT, inherited, band(direction, stored(low, width), "act"), Freedom())
        assert got.within(inherited)
        assert not got.empty
        inherited = got


@settings(deadline=None)  # a busy machine is no finding
@given(edges, edges, st.integers(-6, 6).map(Decimal))
def test_a_narrower_band_is_breached_whenever_the_wider_one_is(low: Decimal | None, high: Decimal | None, value: Decimal) -> None:
    wide, narrow = Band(low, high), Band(Decimal(-1), Decimal(1)).meet(Band(low, high))
    assert narrow.within(wide)
    assert narrow.breached_by(value) or not wide.breached_by(value)
