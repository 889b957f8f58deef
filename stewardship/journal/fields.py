"""A JSON document stored as canonical text, exact to the digit on every database."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from stewardship.journal import canonical


class DocumentFormField(forms.CharField):
    """A text area that accepts JSON only and keeps decimals exact."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        return msgspec.json.format(canonical.dump(value), indent=2).decode()

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            document = canonical.load(text)
            canonical.dump(document)
        except msgspec.DecodeError as error:
            raise ValidationError(_("This is not %(what)s: %(why)s.") % {"what": "JSON", "why": error}) from error
        except canonical.Unwritable as error:
            raise ValidationError(f"{error.message} {error.remedy}") from error
        return document

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class DocumentField(models.TextField):
    """Python side: dict/list/str/int/bool/None/Decimal. Database side: canonical JSON text."""

    if TYPE_CHECKING:  # django-stubs would take every text column for a str
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any
        _pyi_lookup_exact_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else canonical.load(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else canonical.dump(value).decode()

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def formfield(self, **kwargs: Any) -> forms.Field:
        kwargs.pop("widget", None)
        kwargs.pop("max_length", None)
        return DocumentFormField(
            required=not self.blank, label=capfirst(self.verbose_name), help_text=self.help_text, initial=self.get_default()
        )


def as_decimal(value: float | int | str | Decimal) -> Decimal:
    """The decimal that a person would read: 0.1 is 0.1."""
    return Decimal(str(value))
