"""Refusals of this slice."""

from config.portal.errors import Conflict, Invalid


class QuestionnaireRefused(Invalid):
    """The questions, bands or floors do not make sense; the message says which."""


class QuestionnaireIsFixed(Conflict):
    """A questionnaire in use never changes; its next version is drafted instead."""


class AnswersRefused(Invalid):
    """An answer is missing or is none of the options."""


class RationaleNeeded(Invalid):
    """A tier other than the computed one needs its reason in writing."""
