"""Answers become a score and a tier; floors beat scores; overrides need a reason and the right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from config.portal.errors import IllegalTransition, Invalid
from governance.risk import dossier, rules
from governance.risk.assess import assess, result
from governance.risk.errors import AnswersRefused, QuestionnaireIsFixed, QuestionnaireRefused, RationaleNeeded
from governance.risk.facts import facts
from governance.risk.models import Assessment, Questionnaire
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User
from tests.cast import Cast


def option(value: str, points: Any) -> dict[str, Any]:
    return {"value": value, "label": value.capitalize(), "points": points}


QUESTIONS: list[dict[str, Any]] = [
    {"key": key, "text": f"How high is {key}?", "weight": weight, "options": [option("low", 1), option("medium", 2), option("high", 3)]}
    for key, weight in (("materiality", 30), ("complexity", 30), ("usage", 20), ("stability", Decimal("20.5")))
]
BANDS = [{"at_least": Decimal("2.1"), "tier": 1}, {"at_least": Decimal("1.6"), "tier": 2}, {"at_least": 0, "tier": 3}]
FLOORS = [{"when": "answers.usage == 'high'", "tier": 2, "why": "Decides about people alone."}]
LOW = {"materiality": "low", "complexity": "low", "usage": "low", "stability": "low"}


def make(system: User, cast: Cast, region: str = "global", slug: str = "tiering", publish: bool = True) -> Questionnaire:
    questionnaire = Questionnaire(slug=slug, name="Tiering", region=cast.regions[region], questions=QUESTIONS, bands=BANDS, floors=FLOORS)
    with acting(system):
        questionnaire.save()
    if publish:
        questionnaire.publish(actor=system)
    return questionnaire


@pytest.fixture
def questionnaire(cast: Cast, system: User) -> Questionnaire:
    return make(system, cast)


@pytest.mark.parametrize(
    ("answers", "score", "by_score", "tier"),
    [
        (LOW, "1.0000", 3, 3),
        ({**LOW, "materiality": "high", "complexity": "high"}, "2.1940", 1, 1),
        ({**LOW, "materiality": "high"}, "1.5970", 3, 3),
        ({**LOW, "materiality": "high", "stability": "medium"}, "1.8010", 2, 2),
        ({**LOW, "usage": "high"}, "1.3980", 3, 2),
    ],
)
def test_the_weighted_mean_gives_a_tier_and_a_floor_beats_it(answers: dict[str, str], score: str, by_score: int, tier: int) -> None:
    found = rules.score(QUESTIONS, BANDS, FLOORS, answers)
    assert (found.score, found.tier_by_score, found.tier) == (Decimal(score), by_score, tier)


def test_a_floor_never_lowers_the_risk_and_one_that_cannot_be_decided_holds() -> None:
    high = dict.fromkeys(LOW, "high")
    assert rules.score(QUESTIONS, BANDS, [{"when": "true", "tier": 3, "why": "x"}], high).tier == 1
    for when in ("answers.gone == 'x'", "broken ==="):
        assert rules.score(QUESTIONS, BANDS, [{"when": when, "tier": 1, "why": "x"}], LOW).tier == 1
    assert rules.score(QUESTIONS, BANDS, [{"when": "false", "tier": 1, "why": "x"}], LOW).floors == []


@pytest.mark.parametrize(
    ("part", "value", "problem"),
    [
        ("questions", [], "at least one"),
        ("questions", ["x"], "at least one"),
        ("questions", None, "at least one"),
        ("questions", [QUESTIONS[0], QUESTIONS[0]], "used twice"),
        ("questions", [{**QUESTIONS[0], "key": "no plain name"}], "no plain name"),
        ("questions", [{**QUESTIONS[0], "weight": 0}], "weight of 'materiality'"),
        ("questions", [{**QUESTIONS[0], "weight": "30"}], "weight of 'materiality'"),
        ("questions", [{**QUESTIONS[0], "options": [option("a", 1)]}], "at least two options"),
        ("questions", [{**QUESTIONS[0], "options": [option("a", 1), option("b", "x")]}], "at least two options"),
        ("questions", [{**QUESTIONS[0], "options": [option("a", 1), option("a", 2)]}], "the same value"),
        ("bands", [], "Bands are a list"),
        ("bands", [{"at_least": 0, "tier": 5}], "Bands are a list"),
        ("bands", [{"at_least": 1, "tier": 1}], "No band begins at 0"),
        ("bands", [{"at_least": 0, "tier": 1}, {"at_least": 2, "tier": 2}], "A higher score"),
        ("floors", ["x"], "Floors are a list"),
        ("floors", 5, "Floors are a list"),
        ("bands", 5, "Bands are a list"),
        ("bands", [*BANDS, 5], "Bands are a list"),
        ("questions", 5, "Questions are a list"),
        ("questions", [{**QUESTIONS[0], "text": None}], "is no text"),
        ("questions", [{**QUESTIONS[0], "options": 5}], "at least two options"),
        ("questions", [{**QUESTIONS[0], "options": [*QUESTIONS[0]["options"], 5]}], "at least two options"),
        ("questions", [{**QUESTIONS[0], "options": [{"value": [v], "label": "x", "points": v} for v in (1, 2)]}], "is no text"),
        ("floors", [{"when": "true", "tier": 9, "why": "x"}], "Each floor needs"),
        ("floors", [{"when": "true", "tier": 1}], "Each floor needs"),
        ("floors", [{"when": "answers.usage = 1", "tier": 1, "why": "x"}], "Write == to compare"),
        ("floors", [{"when": "answers.gone == 'x'", "tier": 1, "why": "x"}], "none of the answers"),
        ("floors", [{"when": "model.tier == 1", "tier": 1, "why": "x"}], "none of the answers"),
    ],
)
def test_a_questionnaire_that_makes_no_sense_is_refused(cast: Cast, system: User, part: str, value: Any, problem: str) -> None:
    parts: dict[str, Any] = {"questions": QUESTIONS, "bands": BANDS, "floors": [], part: value}
    found = rules.check(**parts)
    assert next((one.field, problem in one.text) for one in found if problem in one.text) == (part, True)
    questionnaire = Questionnaire(slug="bad", name="Bad", region=cast.regions["eu"], **parts)
    with acting(system), pytest.raises(QuestionnaireRefused):
        questionnaire.save()
    with pytest.raises(ValidationError) as refused:
        questionnaire.clean()
    assert problem in str(refused.value.message_dict[part])


def test_a_good_questionnaire_has_no_problems() -> None:
    assert rules.check(QUESTIONS, BANDS, FLOORS) == []


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ({}, "4 answers"),
        ({**LOW, "usage": ""}, "usage is not answered"),
        ({**LOW, "usage": "odd"}, "none of the options"),
        ({**LOW, "x": "low"}, "no such question"),
    ],
)
def test_answers_are_complete_or_refused(questionnaire: Questionnaire, answers: dict[str, str], what: str) -> None:
    with pytest.raises(AnswersRefused) as refused:
        result(questionnaire, answers)
    assert what in str(refused.value)


def test_an_assessment_keeps_what_was_asked_and_sets_the_tier(questionnaire: Questionnaire, model: RegisteredModel, kate: User) -> None:
    assert facts(model, timezone.now()) == {}
    assert dossier.risk(model, None, timezone.now()) is None
    found = assess(model=model, questionnaire=questionnaire, answers={**LOW, "usage": "high"}, actor=kate)
    model.refresh_from_db()
    assert (model.tier, found.tier, found.computed_tier, found.is_override) == (2, 2, 2, False)
    assert found.asked["questions"][3]["weight"] == Decimal("20.5")
    assert found.floors[0]["why"] == "Decides about people alone."
    later = timezone.now()
    assert facts(model, later) == {
        "tier": 2,
        "computed_tier": 2,
        "score": Decimal("1.3980"),
        "overridden": False,
        "assessed_days_ago": 0,
        "questionnaire": "tiering/1",
    }
    shown = dossier.risk(model, None, later)
    assert shown is not None
    assert (shown["floors"], shown["answers"][2]) == (["Decides about people alone."], "usage: High")
    assert Assessment.objects.latest_of(model) == found
    assert str(found) == "Tumour risk: 2"
    assert model.history.latest().history_user_id == kate.pk


def test_an_override_needs_a_reason_and_the_right(questionnaire: Questionnaire, model: RegisteredModel, kate: User, alice: User) -> None:
    with pytest.raises(RationaleNeeded):
        assess(model=model, questionnaire=questionnaire, answers=LOW, actor=kate, override_tier=1, rationale=" ")
    with pytest.raises(Invalid, match="no tier 7"):
        assess(model=model, questionnaire=questionnaire, answers=LOW, actor=kate, override_tier=7, rationale="x")
    with pytest.raises(Forbidden):
        assess(model=model, questionnaire=questionnaire, answers=LOW, actor=alice, override_tier=4, rationale="Mine is harmless")
    assert not Assessment.objects.exists()
    found = assess(model=model, questionnaire=questionnaire, answers=LOW, actor=kate, override_tier=1, rationale="New clinic")
    assert (found.is_override, found.rationale, found.computed_tier) == (True, "New clinic", 3)
    model.refresh_from_db()
    assert model.tier == 1


def test_an_owner_may_raise_the_risk_of_their_model_but_not_lower_it(
    questionnaire: Questionnaire, model: RegisteredModel, alice: User
) -> None:
    assess(model=model, questionnaire=questionnaire, answers=dict.fromkeys(LOW, "high"), actor=alice)
    model.refresh_from_db()
    assert model.tier == 1
    row = model.history.latest()
    assert row.history_user_id != alice.pk
    assert row.history_change_reason == "Risk assessment, score 3.0000, by Alice Adler"
    with pytest.raises(Forbidden):
        assess(model=model, questionnaire=questionnaire, answers=LOW, actor=alice)
    model.refresh_from_db()
    assert (model.tier, Assessment.objects.count()) == (1, 1)


def test_who_may_not_assess(questionnaire: Questionnaire, model: RegisteredModel, ivan: User, charlie: User) -> None:
    with pytest.raises(Forbidden):
        assess(model=model, questionnaire=questionnaire, answers=LOW, actor=ivan)
    with pytest.raises(NotVisible):
        assess(model=model, questionnaire=questionnaire, answers=LOW, actor=charlie)


def test_a_questionnaire_in_use_never_changes_and_has_a_next_version(cast: Cast, system: User, model: RegisteredModel) -> None:
    questionnaire = make(system, cast)
    questionnaire.bands = [{"at_least": 0, "tier": 4}]
    with acting(system), pytest.raises(QuestionnaireIsFixed):
        questionnaire.save()
    questionnaire.refresh_from_db()
    second = questionnaire.next_version(actor=system)
    with pytest.raises(QuestionnaireIsFixed):
        assess(model=model, questionnaire=second, answers=LOW, actor=system)
    second.publish(actor=system)
    questionnaire.refresh_from_db()
    assert (questionnaire.status, second.status, second.version, str(second)) == ("retired", "in_use", 2, "Tiering 2")
    with pytest.raises(IllegalTransition):
        questionnaire.publish(actor=system)
    second.retire(actor=system, reason="Replaced by law")
    assert Questionnaire.objects.nearest(cast.regions["eu"]) is None


def test_the_nearest_questionnaire_is_asked(cast: Cast, system: User) -> None:
    make(system, cast)
    eu = make(system, cast, "eu", "eu-tiering")
    make(system, cast, "de", "draft", publish=False)
    assert Questionnaire.objects.nearest(cast.regions["de"]) == eu
    assert Questionnaire.objects.nearest(cast.regions["jp"]) == Questionnaire.objects.get(slug="tiering")


def test_only_who_configures_publishes(cast: Cast, system: User, alice: User, kate: User) -> None:
    questionnaire = make(system, cast, "eu", publish=False)
    with pytest.raises((Forbidden, NotVisible)):
        questionnaire.publish(actor=alice)
    questionnaire.publish(actor=kate)
    assert questionnaire.status == "in_use"
