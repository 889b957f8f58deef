"""How a threshold's parameters are inherited from the root of the tree to one model. Pure.

Each node may tighten what it inherits. It may loosen only a parameter that the rule itself declares free, inside
the range declared. Whatever goes beyond is clamped at once and named, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from monitoring.thresholds.rules import ALERTING, Band, Direction, Judgement, Level


class Parameter(StrEnum):
    """What a rule fixes and a node may override."""

    OBSERVE = "observe"
    INVESTIGATE = "investigate"
    ACT = "act"
    FOR_WINDOWS = "for_windows"
    MIN_N = "min_n"
    MARGIN = "margin"
    EXPECTED_EVERY = "expected_every_minutes"


BOUNDS = {Parameter(level.value): level for level in ALERTING}
COUNTS = (Parameter.FOR_WINDOWS, Parameter.MIN_N, Parameter.EXPECTED_EVERY)

# A measured value has at most 18 digits before the point; a bound beyond that could not be left, nor be written down.
TOO_LARGE = Decimal(10) ** 18
# Ten years: what is expected less often is not expected, and later instants do not fit a calendar.
MOST_MINUTES = 10 * 366 * 24 * 60


class Unusable(ValueError):
    """A value that cannot be a threshold; the text says why, `parameter` says which."""

    def __init__(self, message: str, parameter: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class Freedom:
    """How far a node may go: `fixed` not at all, otherwise tighten, or anything from `low` to `high`."""

    fixed: bool = False
    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def free(self) -> bool:
        return self.low is not None and self.high is not None


@dataclass(frozen=True)
class Said:
    """One node's own value for one parameter, root first in every list."""

    node: str
    parameter: Parameter
    value: Any


@dataclass(frozen=True)
class Setting:
    """What holds in the end, which node set it, and which nodes asked for something that was clamped."""

    value: Any
    node: str
    clamped: tuple[str, ...] = ()


def band(direction: Direction, bound: Any, parameter: str) -> Band:
    """The allowed band that a bound means: a number, or [low, high] for a range. Raises Unusable."""
    if direction is Direction.OUTSIDE:
        if not isinstance(bound, list | tuple) or len(bound) != 2:
            raise Unusable(_("An allowed range is written as [low, high]."), parameter)
        made = Band(number(bound[0], parameter), number(bound[1], parameter))
        if made.empty:
            raise Unusable(_("The lower end of the range is above the upper end."), parameter)
        return made
    value = number(bound, parameter)
    return Band(high=value) if direction is Direction.HIGHER else Band(low=value)


def number(value: Any, parameter: str) -> Decimal:
    """The value as a finite Decimal. Raises Unusable."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise Unusable(_("This must be a number."), parameter)
    if abs(Decimal(value)) >= TOO_LARGE:
        raise Unusable(_("This number is too large."), parameter)
    return Decimal(value)


def parse(direction: Direction, parameter: Parameter, value: Any) -> Any:
    """A stored value as the fold uses it: Band, Decimal or int. Raises Unusable."""
    if parameter in BOUNDS:
        return band(direction, value, parameter)
    exact = number(value, parameter)
    if parameter is Parameter.MARGIN:
        if exact < 0:
            raise Unusable(_("A margin cannot be negative."), parameter)
        return exact
    least = 0 if parameter is Parameter.MIN_N else 1
    if exact != int(exact) or exact < least:
        raise Unusable(_("This must be a whole number from %(least)d up.") % {"least": least}, parameter)
    if parameter is Parameter.EXPECTED_EVERY and exact > MOST_MINUTES:
        raise Unusable(_("This must be at most %(most)d minutes, which is ten years.") % {"most": MOST_MINUTES}, parameter)
    return int(exact)


def tightest(parameter: Parameter, inherited: Any, wanted: Any) -> Any:
    """The stricter of the two: the narrower band, the quicker count, the larger margin."""
    if parameter in BOUNDS:
        return inherited.meet(wanted)
    return max(inherited, wanted) if parameter is Parameter.MARGIN else min(inherited, wanted)


def allowed(parameter: Parameter, inherited: Any, wanted: Any, freedom: Freedom) -> Any:
    """What a node that wants `wanted` gets, when it inherits `inherited` (None: nothing was said above)."""
    if freedom.fixed:
        return inherited
    if freedom.low is not None and freedom.high is not None:
        return _inside(parameter, wanted, freedom.low, freedom.high)
    if inherited is None:
        return wanted
    got = tightest(parameter, inherited, wanted)
    # Two ranges that share no value: keep the inherited one rather than an alert that can never end.
    return inherited if isinstance(got, Band) and got.empty else got


def _inside(parameter: Parameter, wanted: Any, low: Decimal, high: Decimal) -> Any:
    if isinstance(wanted, Band):
        ends = [None if end is None else min(max(end, low), high) for end in (wanted.low, wanted.high)]
        return Band(ends[0], ends[1])
    clipped = min(max(Decimal(wanted), low), high)
    return clipped if parameter is Parameter.MARGIN else int(clipped)


def settle(
    base: Mapping[Parameter, Any], base_node: str, said: Iterable[Said], direction: Direction, freedoms: Mapping[Parameter, Freedom]
) -> dict[Parameter, Setting]:
    """Every parameter after inheritance, root first. `base` and `said` hold stored values.

    Raises Unusable for a broken base; a node's broken value changes nothing and is named like a clamped one.
    """
    settings = {parameter: Setting(parse(direction, parameter, value), base_node) for parameter, value in base.items()}
    for one in said:
        now = settings.get(one.parameter)
        inherited = None if now is None else now.value
        try:
            wanted = parse(direction, one.parameter, one.value)
            got = allowed(one.parameter, inherited, wanted, freedoms.get(one.parameter, Freedom()))
        except Unusable:
            wanted, got = None, inherited
        clamped = (*(now.clamped if now else ()), *((one.node,) if wanted is None or got != wanted else ()))
        if got is None:
            continue
        node = one.node if got != inherited or now is None else now.node
        settings[one.parameter] = Setting(got, node, clamped)
    return settings


def judgement(settings: Mapping[Parameter, Setting]) -> Judgement:
    """The settled parameters as the fold takes them. A milder level is never looser than a more serious one."""
    bands: dict[Level, Band] = {}
    outer: Band | None = None
    for level in reversed(ALERTING):
        setting = settings.get(Parameter(level.value))
        if setting is None:
            continue
        bands[level] = setting.value if outer is None else setting.value.meet(outer)
        outer = bands[level]
    return Judgement(
        bands=bands,
        for_windows=_value(settings, Parameter.FOR_WINDOWS, 1),
        min_n=_value(settings, Parameter.MIN_N, 0),
        margin=_value(settings, Parameter.MARGIN, Decimal(0)),
    )


def _value(settings: Mapping[Parameter, Setting], parameter: Parameter, default: Any) -> Any:
    setting = settings.get(parameter)
    return default if setting is None else setting.value


def freedom(said: Any, parameter: str) -> Freedom:
    """The freedom that a stored word or range means. Raises Unusable."""
    if said == "tighten":
        return Freedom()
    if said == "fixed":
        return Freedom(fixed=True)
    if not isinstance(said, dict) or set(said) != {"low", "high"}:
        raise Unusable(_("%(parameter)s: say fixed, tighten, or low and high.") % {"parameter": parameter}, "freedoms")
    low, high = number(said["low"], "freedoms"), number(said["high"], "freedoms")
    if low > high:
        raise Unusable(_("%(parameter)s: low is above high.") % {"parameter": parameter}, "freedoms")
    return Freedom(low=low, high=high)


def freedoms(said: Any) -> dict[Parameter, Freedom]:
    """What a rule leaves to nodes below, by parameter, as it is stored. Raises Unusable."""
    if not isinstance(said, Mapping):
        raise Unusable(_('Say it per parameter, for instance {"act": "fixed"}.'), "freedoms")
    for name in said:
        if name not in set(Parameter):
            text = _("“%(name)s” is no parameter; use one of: %(names)s.") % {"name": name, "names": ", ".join(Parameter)}
            raise Unusable(text, "freedoms")
    return {Parameter(name): freedom(one, name) for name, one in said.items()}


def check_levels(direction: Direction, levels: Mapping[str, Any], margin: Decimal = Decimal(0)) -> None:
    """Refuse levels that no value could reach in order: act must lie beyond investigate, and that beyond observe.

    Also refuse a margin so wide that no value could ever end a breach.
    """
    if not levels:
        raise Unusable(_("A rule needs at least one level."), "levels")
    for name in levels:
        if name not in [level.value for level in ALERTING]:
            raise Unusable(_("“%(name)s” is not a level; use observe, investigate or act.") % {"name": name}, "levels")
    milder: tuple[Level, Band] | None = None
    for level in ALERTING:
        if level.value not in levels:
            continue
        mine = band(direction, levels[level.value], level.value)
        if milder is not None and not milder[1].within(mine):
            text = _("%(level)s must lie beyond %(milder)s.") % {"level": level.value, "milder": milder[0].value}
            raise Unusable(text, level.value)
        if mine.shrunk(margin).empty:
            raise Unusable(_("No value of %(level)s could end a breach with this margin.") % {"level": level.value}, "margin")
        milder = (level, mine)
