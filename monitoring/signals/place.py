"""Finding the model, version, environment, region and metric that a fact's words mean; a bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from monitoring.signals.mapping import LEVELS, translated
from monitoring.signals.models import Metric
from monitoring.signals.neutral import Kind, Neutral
from stewardship.inventory.models import Environment, ModelVersion, RegisteredModel
from stewardship.regions.models import Region

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stewardship.people.models import User


@dataclass(frozen=True)
class Unplaced:
    """Which word of a fact leads nowhere, and why."""

    field: str
    problem: str


@dataclass(frozen=True, eq=False)
class Place:
    """What a fact is about, as rows. A map gives the same object for the same words, so identity is equality enough."""

    model: RegisteredModel
    version: ModelVersion | None
    environment: Environment | None
    region: Region
    metric: Metric | None
    direction: str


class Map:
    """Everything that a set of facts mentions, read once.

    Only models on which `user` holds `right` are found, so that one team's program cannot write about another's model,
    nor learn from the answer that it exists.
    """

    def __init__(self, facts: Iterable[Neutral], mapping: Mapping[str, Any], user: User, right: str) -> None:
        self.mapping = mapping
        facts = list(facts)
        slugs = {self._word("model", fact.model) for fact in facts}
        found = RegisteredModel.objects.allowed(user, right).filter(slug__in=slugs).select_related("region", "family")
        self.models = {model.slug: model for model in found}
        labels = {fact.version for fact in facts if fact.version}
        versions = ModelVersion.objects.filter(model__in=self.models.values(), label__in=labels) if labels else []
        self.versions = {(version.model_id, version.label): version for version in versions}
        self.environments = {environment.slug: environment for environment in Environment.objects.all()}
        # Services write DE where a region's code is de; codes are few and unique without regard to case.
        self.regions = {region.code.lower(): region for region in Region.objects.all()}
        names = {self._word("metric", fact.metric) for fact in facts if fact.kind is Kind.MEASUREMENT}
        self.metrics = {metric.slug: metric for metric in Metric.objects.filter(slug__in=names)}
        self._known: dict[tuple[Any, ...], Place | Unplaced] = {}

    def _word(self, what: str, word: str) -> str:
        return translated(self.mapping, what, word)

    def place(self, fact: Neutral) -> Place | Unplaced:
        """The rows this fact is about, or the first word of it that leads nowhere; the same object for the same words."""
        words = (fact.kind, fact.model, fact.version, fact.environment, fact.region, fact.metric, fact.direction, fact.level)
        known = self._known.get(words)
        if known is None:
            known = self._known[words] = self._find(fact)
        return known

    def _find(self, fact: Neutral) -> Place | Unplaced:
        slug = self._word("model", fact.model)
        model = self.models.get(slug)
        if model is None:
            return Unplaced("model", _("No model “%(word)s” is known that this source may write about.") % {"word": slug})
        version = self.versions.get((model.pk, fact.version))
        if fact.version and version is None:
            return Unplaced("version", _("%(model)s has no version “%(word)s”.") % {"model": model, "word": fact.version})
        environment = self.environments.get(self._word("environment", fact.environment))
        if fact.environment and environment is None:
            return Unplaced("environment", _("No environment “%(word)s” is known.") % {"word": fact.environment})
        region = self.regions.get(self._word("region", fact.region).lower()) if fact.region else model.region
        if region is None:
            return Unplaced("region", _("No region “%(word)s” is known.") % {"word": fact.region})
        if fact.kind is Kind.VERDICT:
            if fact.level not in LEVELS:
                return Unplaced("level", _("The source's mapping does not say which level this severity is."))
            return Place(model, version, environment, region, None, "")
        metric = self.metrics.get(self._word("metric", fact.metric))
        if metric is None:
            return Unplaced("metric", _("The catalogue has no metric “%(word)s”.") % {"word": fact.metric})
        direction = fact.direction or metric.direction
        if not direction:
            return Unplaced("direction", _("Nobody says which way %(metric)s is bad.") % {"metric": metric})
        return Place(model, version, environment, region, metric, direction)
