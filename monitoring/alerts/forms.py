"""The forms of this slice."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.alerts.models import BY_PEOPLE


class InvestigateForm(forms.Form):
    """What is suspected."""

    reason = forms.CharField(
        label=_("What do you suspect?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One sentence, for instance: the scanner in Munich was replaced on Monday. It may turn out wrong."),
    )


class ResolveForm(forms.Form):
    """What it was."""

    outcome = forms.ChoiceField(label=_("What was it?"), choices=[("", "–"), *((choice.value, choice.label) for choice in BY_PEOPLE)])
    reason = forms.CharField(
        label=_("Why"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What was found, what was done. Read by whoever meets the next one like it."),
    )
