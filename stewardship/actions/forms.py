"""The forms of this slice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stewardship.actions.rights import ActionRight
from stewardship.inventory.models import RegisteredModel
from stewardship.inventory.rights import ModelRight
from stewardship.people.models import User
from stewardship.regions.models import Region


class EvidenceForm(forms.Form):
    """How one can see that it is done."""

    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What was done, and where one can see it."),
    )


class OpenForm(forms.Form):
    """A new action."""

    title = forms.CharField(label=_("What is to be done"), max_length=200)
    detail = forms.CharField(label=_("Detail"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))
    owner = forms.CharField(label=_("Owner"), max_length=150, help_text=_("The username, for instance alice."))
    verifier = forms.CharField(label=_("Verified by"), required=False, max_length=150, help_text=_("A username; not the owner's."))
    due_at = forms.DateTimeField(
        label=_("Due"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("In your time zone."),
    )
    region: forms.ModelChoiceField[Region] = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.none())
    model = forms.SlugField(label=_("Model"), required=False, help_text=_("The short name of the model it is about."))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        choice: Any = self.fields["region"]
        choice.queryset = Region.objects.allowed(user, ActionRight.OPEN)

    def _person(self, name: str) -> User | None:
        username = self.cleaned_data[name]
        if not username:
            return None
        found: User | None = User.objects.active().filter(username=username).first()
        if found is None:
            raise forms.ValidationError(_("There is nobody with this username."))
        return found

    def clean_owner(self) -> User | None:
        """The person."""
        return self._person("owner")

    def clean_verifier(self) -> User | None:
        """The person, if any."""
        return self._person("verifier")

    def clean_model(self) -> RegisteredModel | None:
        """The model, if any, of those the person may see."""
        slug = self.cleaned_data["model"]
        if not slug:
            return None
        found: RegisteredModel | None = RegisteredModel.objects.allowed(self.user, ModelRight.VIEW).filter(slug=slug).first()
        if found is None:
            raise forms.ValidationError(_("There is no model with this short name, or none that you may see."))
        return found
