"""How models are shown: chips for stage and tier, where they run, links."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from config.portal.chips import Chip, Tone
from stewardship.inventory.models import RegisteredModel, Stage

STAGE_TONES: dict[Stage, Tone] = {
    Stage.CONCEPT: "neutral",
    Stage.DEVELOPMENT: "neutral",
    Stage.VALIDATION: "info",
    Stage.APPROVAL: "info",
    Stage.DEPLOYMENT: "good",
    Stage.MONITORING: "good",
    Stage.RETIRED: "neutral",
}
TIER_TONES: dict[int, Tone] = {1: "act", 2: "watch", 3: "info", 4: "neutral"}


def stage_chip(model: RegisteredModel) -> Chip:
    """The stage of life."""
    return Chip(model.get_stage_display(), STAGE_TONES[Stage(model.stage)], icon="none")


def tier_chip(model: RegisteredModel) -> Chip:
    """How much risk rides on it; "not known" until somebody has assessed it."""
    if model.tier is None:
        return Chip(_("not assessed"), "unknown")
    return Chip(_("tier %(tier)d") % {"tier": model.tier}, TIER_TONES[model.tier], icon="none")


def model_url(model: RegisteredModel) -> str:
    """The model's page."""
    return reverse("model_detail", args=[model.pk])


def running(model: RegisteredModel) -> str:
    """`1.0.0 in Production (Germany)`, for each place; needs `running_now` prefetched."""
    return ", ".join(f"{row.version.label} · {row.environment.name} · {row.region.name}" for row in model.running_now)  # type: ignore[attr-defined]
