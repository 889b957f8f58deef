"""A questionnaire as a form: one choice per question, and another tier with its reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.risk import rules
from governance.risk.models import Questionnaire


class AssessForm(forms.Form):
    """Answers by the keys of the questions."""

    override_tier = forms.TypedChoiceField(
        label=_("Another tier than the computed one"),
        choices=[("", _("as computed")), *((str(tier), str(tier)) for tier in rules.TIERS)],
        coerce=int,
        empty_value=None,
        required=False,
    )
    rationale = forms.CharField(
        label=_("Why another tier"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed only with another tier; it is kept with the assessment."),
    )

    def __init__(self, *args: Any, questionnaire: Questionnaire, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = [question["key"] for question in questionnaire.questions]
        for question in questionnaire.questions:
            self.fields[question["key"]] = forms.ChoiceField(
                label=question["text"],
                help_text=question.get("help", ""),
                choices=[(option["value"], option["label"]) for option in question["options"]],
                widget=forms.RadioSelect,
            )
        self.order_fields([*self.keys, "override_tier", "rationale"])

    def answers(self) -> dict[str, str]:
        """The answers, by key."""
        return {key: self.cleaned_data[key] for key in self.keys}
