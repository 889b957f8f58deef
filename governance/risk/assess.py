"""Judge a model's risk and set its tier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.portal.errors import Invalid
from governance.risk import rules
from governance.risk.errors import AnswersRefused, QuestionnaireIsFixed, RationaleNeeded
from governance.risk.models import Assessment, Questionnaire, Status
from governance.risk.rights import AssessmentRight
from stewardship.access import allowed_to, require
from stewardship.inventory.models import RegisteredModel
from stewardship.inventory.rights import ModelRight
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user


def result(questionnaire: Questionnaire, answers: Mapping[str, Any]) -> rules.Result:
    """The score and tier of these answers, without keeping anything; raises AnswersRefused naming the first question."""
    problems = rules.missing(questionnaire.questions, answers)
    if problems:
        raise AnswersRefused(
            ngettext(
                "%(count)d answer is missing or wrong: %(key)s is %(what)s.",
                "%(count)d answers are missing or wrong; the first: %(key)s is %(what)s.",
                len(problems),
            )
            % {"count": len(problems), "key": problems[0].field, "what": problems[0].text},
            field=problems[0].field,
            remedy=_("Choose one of its options."),
        )
    return rules.score(questionnaire.questions, questionnaire.bands, questionnaire.floors or [], answers)


def assess(
    *,
    model: RegisteredModel,
    questionnaire: Questionnaire,
    answers: Mapping[str, Any],
    actor: User,
    override_tier: int | None = None,
    rationale: str = "",
) -> Assessment:
    """Keep an assessment and set the model's tier, in one transaction.

    `override_tier` sets another tier than the computed one and needs `rationale`. Whoever may not set tiers may neither override
    nor lower the risk: for them a tier is set on the authority of the questionnaire alone.
    """
    require(actor, AssessmentRight.MAKE, model)
    if questionnaire.status != Status.IN_USE:
        raise QuestionnaireIsFixed(_("This questionnaire is not in use."), field="questionnaire", remedy=_("Use the version that is."))
    found = result(questionnaire, answers)
    tier = override_tier or found.tier
    _check_override(tier, found.tier, rationale)
    assessment = Assessment(
        model=model,
        questionnaire=questionnaire,
        answers=dict(answers),
        asked={"questions": questionnaire.questions, "bands": questionnaire.bands, "floors": questionnaire.floors or []},
        parts=found.parts,
        floors=found.floors,
        score=found.score,
        computed_tier=found.tier,
        tier=tier,
        rationale=rationale.strip() if tier != found.tier else "",
    )
    reason = assessment.rationale or _("Risk assessment, score %s") % found.score
    with transaction.atomic(), acting(actor, reason):
        assessment.save()
        if _may_set(actor, model, tier, found.tier):
            model.set_tier(tier, actor=actor, reason=reason)
        else:
            model.set_tier(tier, actor=system_user(), reason=_("%(reason)s, by %(who)s") % {"reason": reason, "who": actor})
    return assessment


def _may_set(actor: User, model: RegisteredModel, tier: int, computed: int) -> bool:
    """Whether the tier is set in the actor's own name; raises Forbidden where it needs that and they may not."""
    if tier != computed or (model.tier is not None and tier > model.tier):
        require(actor, ModelRight.SET_TIER, model)
    return allowed_to(actor, ModelRight.SET_TIER, model)


def _check_override(tier: int, computed: int, rationale: str) -> None:
    if tier not in rules.TIERS:
        raise Invalid(_("There is no tier %s.") % tier, field="override_tier", remedy=_("Choose 1, 2, 3 or 4."))
    if tier != computed and not rationale.strip():
        raise RationaleNeeded(
            _("The answers give tier %(computed)d; tier %(tier)d needs a reason.") % {"computed": computed, "tier": tier},
            field="rationale",
            remedy=_("Write why the computed tier does not fit."),
        )
