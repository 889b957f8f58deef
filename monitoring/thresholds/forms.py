"""The forms of this slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.portal.admin import GovernedForm, NamedSplitDateTime
from config.portal.inlines import RowForm
from monitoring.thresholds import written
from monitoring.thresholds.errors import ThresholdRefused
from monitoring.thresholds.models import Override
from monitoring.thresholds.override import check


class BoundField(forms.CharField):
    """A number, or the two ends of a range."""

    def __init__(self, **kwargs: Any) -> None:
        told = _("A number; for a range its two ends: 0.8 to 1.2.")
        super().__init__(**{"label": _("Value"), "max_length": 100, "help_text": told, **kwargs})

    def clean(self, value: Any) -> Any:
        return _read(written.read_bound, super().clean(value))

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else written.write(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class LinesField(forms.CharField):
    """One `name: value` a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, read: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(**{"max_length": 2000, **kwargs})
        self.read = read

    def clean(self, value: Any) -> dict[str, Any]:
        found: dict[str, Any] = _read(lambda text: written.read_lines(text, self.read), super().clean(value))
        return found

    def prepare_value(self, value: Any) -> Any:
        return written.write_lines(value) if isinstance(value, dict) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def _read(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except written.NotWritten as refused:
        raise forms.ValidationError(str(refused)) from refused


class RuleForm(GovernedForm):
    """Bounds, next actions and freedoms are written a line each."""

    levels = LinesField(
        written.read_bound,
        label=_("Bounds"),
        help_text=_("One level a line: observe, investigate, act. For example “act: 0.3”; where a range is allowed “act: 0.8 to 1.2”."),
    )
    next_actions = LinesField(
        str, label=_("Next action"), required=False, help_text=_("One level a line, for example “act: Ask for a rollback.”")
    )
    freedoms = LinesField(
        written.read_freedom,
        label=_("Freedom of regions"),
        required=False,
        help_text=_("One parameter a line: fixed, tighten (as when nothing is said), or a range. For example “act: 0.1 to 0.5”."),
    )


class OverrideRow(RowForm):
    """An override beside others under its rule."""

    value = BoundField()


class OverrideForm(GovernedForm):
    """One parameter for one region, family or model; refused beside its field when it is looser than what is inherited."""

    value = BoundField()
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
