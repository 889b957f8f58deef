"""From answers to a score and a tier. Pure.

The score is the weighted mean of the points; bands map it to a tier; a floor names a tier that the answers alone demand,
whatever the score. Tier 1 is the riskiest, so the lowest number wins.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from governance.policies.cel import ExpressionError, compile_expression

TIERS = (1, 2, 3, 4)
PLACES = Decimal("0.0001")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """What is wrong, and in which of the parts it is."""

    field: str
    text: str


@dataclass(frozen=True)
class Result:
    """The score, the tier it gives, the tier after floors, the floors that held, and each question's part in the score."""

    score: Decimal
    tier_by_score: int
    tier: int
    floors: list[dict[str, Any]]
    parts: list[dict[str, Any]]


def check(questions: Sequence[Document], bands: Sequence[Document], floors: Sequence[Document]) -> list[Problem]:
    """Everything that would keep a questionnaire from giving a tier for all answers."""
    return [
        *_check_questions(questions),
        *_check_bands(bands),
        *_check_floors(floors, {str(one.get("key")) for one in _documents(questions)}),
    ]


def missing(questions: Sequence[Document], answers: Mapping[str, Any]) -> list[Problem]:
    """Questions without an answer, and answers that are none of the options."""
    found = []
    for question in questions:
        given = answers.get(question["key"])
        if given in (None, ""):
            found.append(Problem(question["key"], _("not answered")))
        elif given not in {option["value"] for option in question["options"]}:
            found.append(Problem(question["key"], _("none of the options")))
    known = {question["key"] for question in questions}
    return found + [Problem(key, _("no such question")) for key in answers if key not in known]


def score(questions: Sequence[Document], bands: Sequence[Document], floors: Sequence[Document], answers: Mapping[str, Any]) -> Result:
    """The tier for complete answers (see `missing`); a floor that cannot be read or decided holds."""
    parts = [_part(question, answers[question["key"]]) for question in questions]
    weight = sum((part["weight"] for part in parts), Decimal(0))
    value = (sum((part["weight"] * part["points"] for part in parts), Decimal(0)) / weight).quantize(PLACES)
    by_score = next(band["tier"] for band in sorted(bands, key=_lower_end, reverse=True) if value >= _lower_end(band))
    held = [dict(floor) for floor in floors if _holds(floor["when"], answers)]
    return Result(value, by_score, min([by_score, *(floor["tier"] for floor in held)]), held, parts)


def _part(question: Document, answer: Any) -> dict[str, Any]:
    option = next(option for option in question["options"] if option["value"] == answer)
    weight, points = Decimal(question["weight"]), Decimal(option["points"])
    return {"key": question["key"], "answer": answer, "label": option["label"], "weight": weight, "points": points}


def _lower_end(band: Document) -> Decimal:
    return Decimal(band["at_least"])


def _holds(expression: str, answers: Mapping[str, Any]) -> bool:
    try:
        return compile_expression(expression).evaluate({"answers": answers}).value is not False
    except ExpressionError:
        return True


def _documents(values: Any) -> list[Document]:
    return [one for one in values if isinstance(one, Mapping)] if isinstance(values, list | tuple) else []


def _only_documents(values: Any) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(one, Mapping) for one in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and abs(Decimal(value)) <= 1_000_000


def _check_questions(questions: Sequence[Document]) -> list[Problem]:
    documents = _documents(questions)
    if not documents or not _only_documents(questions):
        return [Problem("questions", _("Questions are a list of at least one {key, text, weight, options}."))]
    found = []
    keys = [str(question.get("key", "")) for question in documents]
    for key in {key for key in keys if keys.count(key) > 1 or not key.isidentifier()}:
        found.append(Problem("questions", _("The key '%(key)s' is used twice or is no plain name.") % {"key": key}))
    for question in documents:
        name = question.get("key")
        if not all(isinstance(question.get(part, ""), str) for part in ("key", "text", "help")) or not question.get("text"):
            found.append(Problem("questions", _("The key, text or help of '%(name)s' is no text.") % {"name": name}))
        if not _is_number(question.get("weight")) or question["weight"] <= 0:
            found.append(Problem("questions", _("The weight of '%(name)s' is not a number above 0.") % {"name": name}))
        options = _documents(question.get("options"))
        whole = all(_is_number(one.get("points")) and one.get("value") and one.get("label") for one in options)
        if len(options) < 2 or not whole or not _only_documents(question["options"]):
            found.append(
                Problem("questions", _("'%(name)s' needs at least two options, each with value, label and points.") % {"name": name})
            )
        elif not all(isinstance(one[name], str) for one in options for name in ("value", "label")):
            found.append(Problem("questions", _("An option of '%(name)s' has a value or label that is no text.") % {"name": name}))
        elif len({one["value"] for one in options}) != len(options):
            found.append(Problem("questions", _("Two options of '%(name)s' have the same value.") % {"name": name}))
    return found


def _check_bands(bands: Sequence[Document]) -> list[Problem]:
    documents = _documents(bands)
    whole = all(_is_number(band.get("at_least")) and band.get("tier") in TIERS for band in documents)
    if not documents or not whole or not _only_documents(bands):
        return [Problem("bands", _("Bands are a list of {at_least, tier}, with a tier from 1 to 4."))]
    ordered = sorted(documents, key=_lower_end)
    found = []
    if _lower_end(ordered[0]) > 0:
        found.append(Problem("bands", _("No band begins at 0, so that a low score would have no tier.")))
    if any(low["tier"] <= high["tier"] or low["at_least"] == high["at_least"] for low, high in itertools.pairwise(ordered)):
        found.append(Problem("bands", _("A higher score must give a lower tier number (1 is the riskiest).")))
    return found


def _check_floors(floors: Sequence[Document], keys: set[str]) -> list[Problem]:
    found = []
    documents = _documents(floors)
    if not _only_documents(floors):
        return [Problem("floors", _("Floors are a list of {when, tier, why}."))]
    for floor in documents:
        if floor.get("tier") not in TIERS or not floor.get("why"):
            found.append(Problem("floors", _("Each floor needs a tier from 1 to 4 and why.")))
        try:
            program = compile_expression(str(floor.get("when", "")))
        except ExpressionError as error:
            found.append(Problem("floors", str(error)))
            continue
        for path in program.paths():
            head, _dot, key = path.partition(".")
            if head != "answers" or key not in keys:
                text = _("'%(path)s' is none of the answers; write for example answers.%(key)s.")
                found.append(Problem("floors", text % {"path": path, "key": min(keys, default="key")}))
    return found
