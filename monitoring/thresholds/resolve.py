"""Which rules judge a series, and with which bounds after inheritance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from monitoring.signals.models import Series
from monitoring.thresholds import inherit
from monitoring.thresholds.models import Override, Rule
from monitoring.thresholds.rules import Band, Direction, Judgement, Level
from stewardship.inventory.models import ModelVersion
from stewardship.journal import canonical
from stewardship.regions.models import Region


@dataclass(frozen=True)
class Effective:
    """One rule as it holds for one series: each value with the node that set it."""

    rule: Rule
    settings: dict[inherit.Parameter, inherit.Setting]
    judgement: Judgement

    @property
    def expected_every(self) -> timedelta | None:
        """How often a window must come; None when nobody says."""
        setting = self.settings.get(inherit.Parameter.EXPECTED_EVERY)
        return None if setting is None else timedelta(minutes=setting.value)

    def owner_of(self, level: Level) -> str:
        """The node whose bound is binding for this level; the one of a worse level when that is the tighter."""
        level = Level(level)
        mine = self.judgement.bands[level]
        for worse in (level, *(other for other in Level if other.rank > level.rank)):
            setting = self.settings.get(inherit.Parameter(worse.value))
            if setting is not None and setting.value == mine:
                return setting.node
        return self.settings[inherit.Parameter(level.value)].node

    def document(self) -> dict[str, Any]:
        """The same as a document, to be kept with every judgement made by it."""
        return {
            "rule": self.rule.slug,
            "settings": {
                str(parameter): {"value": _plain(setting.value), "node": setting.node, "clamped": list(setting.clamped)}
                for parameter, setting in sorted(self.settings.items())
            },
            "bands": {level.value: {**_plain(band), "node": self.owner_of(level)} for level, band in self.judgement.bands.items()},
        }

    def digest(self) -> str:
        """SHA-256 of the document."""
        return canonical.digest(self.document())


def _plain(value: Any) -> Any:
    return {"low": value.low, "high": value.high} if isinstance(value, Band) else value


def effective(series: Series, at: datetime) -> list[Effective]:
    """Every rule that judges this series at `at`, most general first."""
    return Resolver([series], at).of(series)


class Resolver:
    """Rules and overrides for many series at one instant, in three queries."""

    def __init__(self, series: Iterable[Series], at: datetime) -> None:
        every = list(series)
        self.at = at
        self.parents = Region.objects.parents()
        self.names = dict(Region.objects.values_list("id", "name"))
        metrics = {one.metric_id for one in every}
        about = Q(version__isnull=True) | Q(version__model__in={one.model_id for one in every})
        found_rules = Rule.objects.in_force(at).filter(about, metric__in=metrics)
        self.rules = list(found_rules.select_related("metric", "region", "version"))
        self.overrides: dict[UUID, list[Override]] = {}
        found = (
            Override.objects.in_force(at)
            .filter(rule__in=self.rules)
            .select_related("region", "family", "model")
            .order_by("valid_from", "id")
        )
        for override in found:
            self.overrides.setdefault(override.rule_id, []).append(override)

    def of(self, series: Series) -> list[Effective]:
        """The rules for one of the series, from the root of the tree downwards."""
        line = self._line(series.region_id)
        mine = [rule for rule in self.rules if rule.region_id in line and _selects(rule, series)]
        return [self._effective(rule, series, line) for rule in sorted(mine, key=lambda rule: (line.index(rule.region_id), rule.slug))]

    def _line(self, region: UUID | None) -> list[UUID]:
        """Root first."""
        line: list[UUID] = []
        while region is not None:
            line.append(region)
            region = self.parents.get(region)
        return line[::-1]

    def _effective(self, rule: Rule, series: Series, line: list[UUID]) -> Effective:
        said = [
            inherit.Said(str(override.scope), inherit.Parameter(override.parameter), override.value)
            for override in sorted(self._about(rule, series, line), key=lambda each: self._depth(each, line))
        ]
        settings = inherit.settle(rule.base(), self.names[rule.region_id], said, Direction(rule.direction), rule.freedom())
        return Effective(rule, settings, inherit.judgement(settings))

    def _about(self, rule: Rule, series: Series, line: list[UUID]) -> list[Override]:
        """What the nodes above this series say; of two that one node says at once, the later one."""
        latest: dict[tuple[UUID, str], Override] = {}
        below = line[line.index(rule.region_id) :]
        for override in self.overrides.get(rule.pk, []):
            node = override.region_id or override.family_id or override.model_id
            if node in below or node in (series.model.family_id, series.model_id):
                latest[(node, override.parameter)] = override
        return list(latest.values())

    def _depth(self, override: Override, line: list[UUID]) -> int:
        if override.region_id is not None:
            return line.index(override.region_id)
        return len(line) + (0 if override.family_id is not None else 1)


def _selects(rule: Rule, series: Series) -> bool:
    # `TrackQuerySet.judging` says the same in SQL.
    if rule.metric_id != series.metric_id or rule.direction != series.direction:
        return False
    if rule.method and rule.method != series.method:
        return False
    if rule.subject and rule.subject != series.subject:
        return False
    if rule.environment_id is not None and rule.environment_id != series.environment_id:
        return False
    if rule.version is not None and not _watches(rule.version, series):
        return False
    tier = series.model.tier
    # Not ruled on yet is not "harmless": such a model is judged by every rule.
    return rule.tier_up_to is None or tier is None or tier <= rule.tier_up_to


def _watches(version: ModelVersion, series: Series) -> bool:
    # A series that does not say of which version it is may be of this one: not known is not "of another".
    return series.version_id == version.pk or (series.version_id is None and series.model_id == version.model_id)
