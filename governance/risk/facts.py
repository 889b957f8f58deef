"""What policies and routes may know of a model's risk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.risk.models import Assessment
from stewardship.inventory.models import RegisteredModel


def facts(model: RegisteredModel, at: datetime) -> dict[str, Any]:
    """{tier, computed_tier, score, overridden, assessed_days_ago, questionnaire}; empty, and so not known, before the first assessment."""
    latest = Assessment.objects.filter(at__lte=at).select_related("questionnaire").latest_of(model)
    if latest is None:
        return {}
    return {
        "tier": latest.tier,
        "computed_tier": latest.computed_tier,
        "score": latest.score,
        "overridden": latest.is_override,
        "assessed_days_ago": (at - latest.at).days,
        "questionnaire": f"{latest.questionnaire.slug}/{latest.questionnaire.version}",
    }
