"""What the risk assessment contributes to a model's dossier."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.risk.models import Assessment
from stewardship.inventory.models import ModelVersion, RegisteredModel


def risk(model: RegisteredModel, version: ModelVersion | None, at: datetime) -> dict[str, Any] | None:
    """Tier, score and what they rest on."""
    found = Assessment.objects.filter(at__lte=at).select_related("questionnaire").latest_of(model)
    if found is None:
        return None
    return {
        "tier": found.tier,
        "computed_tier": found.computed_tier,
        "score": found.score,
        "questionnaire": f"{found.questionnaire.name} {found.questionnaire.version}",
        "assessed": f"{found.at:%Y-%m-%d}",
        "rationale": found.rationale,
        "floors": [floor["why"] for floor in found.floors],
        "answers": [f"{part['key']}: {part['label']}" for part in found.parts],
    }
