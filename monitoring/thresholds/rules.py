"""The evaluator: a pure fold of points over a threshold. No clock, no ORM, no I/O.

Live evaluation, catching up, and (later) back-tests all call `step`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Level(StrEnum):
    """How bad; each level asks for something else of people. `OK` is the absence of an alert."""

    OK = "ok"
    OBSERVE = "observe"
    INVESTIGATE = "investigate"
    ACT = "act"

    @property
    def rank(self) -> int:
        """0 (ok) to 3 (act)."""
        return RANKS[self]


RANKS: dict[Level, int] = {level: rank for rank, level in enumerate(Level)}
ALERTING = (Level.OBSERVE, Level.INVESTIGATE, Level.ACT)


class Direction(StrEnum):
    """Which way is bad. It is part of a series and never guessed from a metric's name."""

    HIGHER = "higher_is_worse"
    LOWER = "lower_is_worse"
    OUTSIDE = "outside_range"


class Reading(StrEnum):
    """What the newest point allows us to say."""

    NONE = "none"
    KNOWN = "known"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True)
class Band:
    """The values that are still allowed: from `low` to `high`, both included; None is open."""

    low: Decimal | None = None
    high: Decimal | None = None

    def breached_by(self, value: Decimal) -> bool:
        """Whether the value lies outside."""
        return (self.high is not None and value > self.high) or (self.low is not None and value < self.low)

    def shrunk(self, margin: Decimal) -> Band:
        """The narrower band that a value must return into before a breach counts as over."""
        return Band(None if self.low is None else self.low + margin, None if self.high is None else self.high - margin)

    def within(self, other: Band) -> bool:
        """Whether every value allowed here is allowed by `other` too, so that this one is at least as strict."""
        low_ok = other.low is None or (self.low is not None and self.low >= other.low)
        high_ok = other.high is None or (self.high is not None and self.high <= other.high)
        return low_ok and high_ok

    def meet(self, other: Band) -> Band:
        """The values that both allow."""
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Band(max(lows, default=None), min(highs, default=None))

    @property
    def empty(self) -> bool:
        """Whether no value at all is allowed: a configuration error."""
        return self.low is not None and self.high is not None and self.low > self.high


@dataclass(frozen=True)
class Judgement:
    """One threshold as it holds for one series at one instant, after inheritance.

    `for_windows`: consecutive sufficient windows beyond a bound before its level is reached.
    `min_n`: fewer samples than this say nothing (0: the sample size is not asked for).
    `margin`: how far inside a bound the value must return (hysteresis), in the metric's unit.
    """

    bands: Mapping[Level, Band]
    for_windows: int = 1
    min_n: int = 0
    margin: Decimal = ZERO


@dataclass(frozen=True)
class Point:
    """One window of one series."""

    start: datetime
    end: datetime
    value: Decimal
    n: int | None = None


@dataclass(frozen=True)
class Transition:
    """The level changed with this point."""

    before: Level
    after: Level
    point: Point


@dataclass(frozen=True)
class State:
    """What the fold remembers between points."""

    level: Level = Level.OK
    reading: Reading = Reading.NONE
    streaks: Mapping[Level, int] = field(default_factory=dict)
    last: Point | None = None
    since: datetime | None = None  # event time at which the present level began


class OutOfOrder(ValueError):
    """A point older than the newest one seen: the caller folds the series again, in order of event time."""


def step(state: State, point: Point, judgement: Judgement) -> tuple[State, tuple[Transition, ...]]:
    """The state after one more point, and the change of level it caused, if any.

    A point with too small a sample changes what we can say, never the level. Raises OutOfOrder on a point
    whose window ends before the newest one seen.
    """
    if state.last is not None and point.end < state.last.end:
        raise OutOfOrder(f"{point.end} is before {state.last.end}.")
    if judgement.min_n and (point.n is None or point.n < judgement.min_n):
        return replace(state, reading=Reading.INSUFFICIENT, last=point), ()
    streaks = {level: state.streaks.get(level, 0) + 1 if band.breached_by(point.value) else 0 for level, band in judgement.bands.items()}
    reached = worst(level for level, streak in streaks.items() if streak >= judgement.for_windows)
    held = worst(
        level
        for level, band in judgement.bands.items()
        if level.rank <= state.level.rank and band.shrunk(judgement.margin).breached_by(point.value)
    )
    level = worst((reached, held))
    changed = level is not state.level
    after = State(level, Reading.KNOWN, streaks, point, point.end if changed or state.since is None else state.since)
    return after, ((Transition(state.level, level, point),) if changed else ())


def fold(points: Iterable[Point], judgement: Judgement, state: State | None = None) -> tuple[State, tuple[Transition, ...]]:
    """Every point in order of event time, starting from `state`."""
    state = state or State()
    transitions: list[Transition] = []
    for point in sorted(points, key=lambda each: (each.end, each.start)):
        state, changed = step(state, point, judgement)
        transitions.extend(changed)
    return state, tuple(transitions)


def worst(levels: Iterable[Level]) -> Level:
    """The highest of these levels; ok when there is none."""
    return max(levels, key=lambda level: level.rank, default=Level.OK)


def due_by(last_end: datetime, expected_every: timedelta, grace: timedelta) -> datetime:
    """When the next window must have arrived; after it the series is stale and nothing may be called healthy."""
    return last_end + expected_every + grace
