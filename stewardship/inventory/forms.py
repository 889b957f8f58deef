"""Forms of the inventory; each field is one argument of a verb."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stewardship.inventory.models import ModelFamily, Ruling
from stewardship.inventory.rights import ModelRight
from stewardship.regions.models import Region


class RegisterModelForm(forms.Form):
    """What is known of a model when it enters the inventory."""

    name = forms.CharField(label=_("Name"), max_length=200)
    slug = forms.SlugField(
        label=_("Short name"), max_length=100, help_text=_("As pipelines call it, for example tumour-risk. It cannot be changed later.")
    )
    family: forms.ModelChoiceField[ModelFamily] = forms.ModelChoiceField(
        label=_("Family"), queryset=ModelFamily.objects.none(), help_text=_("Its owner answers for this model too.")
    )
    region: forms.ModelChoiceField[Region] = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.none())
    purpose = forms.CharField(
        label=_("Purpose"), widget=forms.Textarea(attrs={"rows": 3}), help_text=_("What it decides or helps to decide.")
    )
    outcome = forms.CharField(label=_("Business outcome"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    outcome_measure = forms.CharField(label=_("How the outcome is measured"), required=False)
    exposure = forms.CharField(label=_("Exposure"), required=False, help_text=_("Whom and how much its output touches."))
    technique = forms.CharField(label=_("Technique"), max_length=120, required=False)
    provider = forms.CharField(label=_("Outside provider"), max_length=160, required=False, help_text=_("Leave empty for our own."))
    ruling = forms.ChoiceField(label=_("Is it a model?"), choices=Ruling.choices, initial="pending")
    ruling_rationale = forms.CharField(label=_("Why so ruled"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].queryset = Region.objects.allowed(user, ModelRight.REGISTER)  # type: ignore[attr-defined]
        self.fields["family"].queryset = ModelFamily.objects.allowed(user, ModelRight.VIEW)  # type: ignore[attr-defined]
