"""The row of the matrix that belongs to one role: every right there is, and how the role takes part."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from stewardship.access.rights import all_rights
from stewardship.roles.models import Raci


class MatrixWidget(forms.Widget):
    """One drop-down a right, grouped by subject; short markup, since there are a hundred."""

    template_name = "stewardship/roles/matrix.html"
    use_fieldset = True

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        held: Mapping[str, str] = value or {}
        # A right that a slice has given up is shown while the role holds it.
        groups = groupby(sorted({*all_rights(), *held}), key=lambda right: right.partition(":")[0])
        rows = [(group, [(right, right.partition(":")[2], held.get(right, "")) for right in found]) for group, found in groups]
        return context | {"groups": rows, "choices": Raci.choices}

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """By the portal's own templates; those of forms know only what Django brings."""
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        return {right: chosen for right in all_rights() if (chosen := data.get(f"{name}.{right}", ""))}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(f"{name}.{right}" in data for right in all_rights())


class MatrixField(forms.Field):
    """right → R, A, C or I; what is not in it the role has no part in."""

    widget = MatrixWidget

    def clean(self, value: Any) -> dict[str, str]:
        chosen: dict[str, str] = value or {}
        for right, raci in chosen.items():
            if raci not in Raci.values:
                raise ValidationError(_("%(right)s: choose one of the four, or none.") % {"right": right})
        return chosen
