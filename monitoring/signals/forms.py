"""The forms of this slice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.signals.quarantine import CORRECTABLE

LABELS = {
    "model": _("Model"),
    "version": _("Version"),
    "environment": _("Environment"),
    "region": _("Region"),
    "metric": _("Metric"),
    "direction": _("Which way is bad"),
    "level": _("Level"),
}


class PlaceForm(forms.Form):
    """What the source's words meant; filled with what it sent."""

    def __init__(self, *args: Any, fact: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in CORRECTABLE:
            self.fields[name] = forms.CharField(label=LABELS[name], required=False, max_length=200, initial=fact.get(name, ""))
        self.fields["reason"] = forms.CharField(label=_("Reason"), max_length=500, help_text=_("Kept in the history."))
        self.fact = fact

    def corrections(self) -> dict[str, str]:
        """The words that differ from what was sent."""
        return {name: self.cleaned_data[name] for name in CORRECTABLE if self.cleaned_data[name] != self.fact.get(name, "")}


class DismissForm(forms.Form):
    """Why a fact does not count."""

    reason = forms.CharField(label=_("Reason"), max_length=500, help_text=_("Why this fact does not count. It stays readable beside it."))
