"""Watch one version at one place for a while: a rule with one bound, beyond which people act."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from monitoring.signals.models import Metric
from monitoring.thresholds.models import LevelChoice, Rule
from monitoring.thresholds.rights import RuleRight
from stewardship.access import require
from stewardship.inventory.models import Environment, ModelVersion
from stewardship.journal.acting import acting
from stewardship.regions.models import Region

if TYPE_CHECKING:
    from stewardship.people.models import User


def watch(
    *,
    actor: User,
    slug: str,
    name: str,
    version: ModelVersion,
    environment: Environment,
    region: Region,
    metric: Metric,
    direction: str,
    bound: Decimal,
    next_action: str,
    since: datetime,
    until: datetime,
    reason: str,
) -> Rule:
    """A value beyond `bound` (in the metric's unit) between `since` and `until` opens an alert of the act level.

    Raises Forbidden, and ValidationError for what could never be judged.
    """
    require(actor, RuleRight.CONFIGURE, region)
    rule = Rule(
        slug=slug,
        name=name[:160],
        region=region,
        metric=metric,
        version=version,
        environment=environment,
        direction=direction,
        levels={LevelChoice.ACT.value: bound},
        next_actions={LevelChoice.ACT.value: next_action},
        valid_from=since,
        valid_until=until,
    )
    rule.clean()
    with transaction.atomic(), acting(actor, reason):
        rule.save(force_insert=True)
    return rule
