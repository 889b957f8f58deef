"""The forms of this slice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.portal.admin import GovernedForm, NamedSplitDateTime
from monitoring.thresholds.errors import ThresholdRefused
from monitoring.thresholds.models import Override
from monitoring.thresholds.override import check


class OverrideForm(GovernedForm):
    """One parameter for one region, family or model; refused beside its field when it is looser than what is inherited."""

    valid_from = forms.SplitDateTimeField(
        label=_("Valid from"), required=False, widget=NamedSplitDateTime, help_text=_("Empty: from now on.")
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return said
        given = {name: said.get(name) for name in ("rule", "region", "family", "model", "parameter", "value", "valid_until")}
        try:
            check(Override(**given, valid_from=said.get("valid_from") or timezone.now()))
        except ThresholdRefused as refused:
            self.add_error(refused.field if refused.field in self.fields else None, f"{refused.message} {refused.remedy}".strip())
        return said
