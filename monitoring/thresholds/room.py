"""What a region may still set of the rules that bind it: what it inherits, from whom, and how far it may go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.thresholds import inherit
from monitoring.thresholds.models import Override, Rule
from monitoring.thresholds.rules import Direction
from stewardship.regions.models import Region


@dataclass(frozen=True)
class Room:
    """One parameter of one rule in one region; `inherited` is None when nobody above says anything."""

    rule: Rule
    parameter: inherit.Parameter
    inherited: inherit.Setting | None
    freedom: inherit.Freedom
    mine: inherit.Setting | None  # what holds there with the region's own value


def room(region: Region, at: datetime) -> list[Room]:
    """Every parameter that this region may set, rule by rule; what a rule fixes is left out."""
    line = region.ancestors_and_self()
    depth = {node.pk: index for index, node in enumerate(line)}
    rules = Rule.objects.in_force(at).filter(region__in=line).select_related("region", "metric").order_by("name", "slug")
    overrides = Override.objects.in_force(at).filter(rule__in=rules, region__in=line).select_related("region").order_by("valid_from", "id")
    # Of two values of one node the later one holds.
    latest = {(each.rule_id, each.region_id, each.parameter): each for each in overrides}
    said = sorted(latest.values(), key=lambda each: depth.get(each.region_id, 0))
    return [one for rule in rules for one in _of(rule, region, [each for each in said if each.rule_id == rule.pk])]


def _of(rule: Rule, region: Region, overrides: list[Override]) -> list[Room]:
    def settled(chosen: list[Override]) -> dict[inherit.Parameter, inherit.Setting]:
        said = [inherit.Said(str(each.region), inherit.Parameter(each.parameter), each.value) for each in chosen]
        return inherit.settle(rule.base(), str(rule.region), said, Direction(rule.direction), rule.freedom())

    above, here = settled([each for each in overrides if each.region_id != region.pk]), settled(overrides)
    freedoms = rule.freedom()
    return [
        Room(rule, parameter, above.get(parameter), freedom, here.get(parameter))
        for parameter in inherit.Parameter
        if not (freedom := freedoms.get(parameter, inherit.Freedom())).fixed
    ]
