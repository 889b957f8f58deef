"""What people may be allowed to do with risk."""

from enum import StrEnum


class AssessmentRight(StrEnum):
    VIEW = "risk:assessment:view"
    MAKE = "risk:assessment:make"


class QuestionnaireRight(StrEnum):
    CONFIGURE = "risk:questionnaire:configure"
