"""What a person says about their own time away."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stewardship.people.models import User
from stewardship.people.rights import PersonRight

_FORMAT = "%Y-%m-%dT%H:%M"


def _instant(**options: Any) -> forms.DateTimeField:
    return forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_FORMAT), **options)


class AwayForm(forms.Form):
    """From when until when one is not to be called."""

    starts = _instant(label=gettext_lazy("From"), initial=timezone.now)
    ends = _instant(label=gettext_lazy("Until"), required=False, help_text=gettext_lazy("Leave empty if you do not know yet."))


class StandInForm(forms.Form):
    """Who acts in one's place, and for how long."""

    delegate = forms.CharField(
        label=gettext_lazy("Who"),
        max_length=254,
        help_text=gettext_lazy("Their user name or e-mail address. They may do what you may do, and are called while you are away."),
    )
    starts = _instant(label=gettext_lazy("From"), initial=timezone.now)
    ends = _instant(label=gettext_lazy("Until"))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def clean_delegate(self) -> User:
        """The person of that name among those one may see."""
        given = self.cleaned_data["delegate"].strip()
        seen = User.objects.allowed(self._person, PersonRight.VIEW).active()
        found: User | None = seen.filter(Q(username=given) | Q(email__iexact=given)).first() if given else None
        if found is None:
            raise forms.ValidationError(_("There is nobody of that name whom you may see."))
        return found
