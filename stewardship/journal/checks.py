"""Start-up checks: the guards are there, and every governed field has an exact written form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import models

from stewardship.journal.guards import check_guards
from stewardship.journal.tables import shapes

_INEXACT = (models.FloatField, models.JSONField)


@register(Tags.database)
def guards_in_place(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A warning for each guard that is missing or altered. Not an error: `migrate`, the remedy, must still start."""
    found = [problem for using in databases or () for problem in check_guards(using)]
    return [Warning(text, hint="Run `manage.py journal guards --install`, and `journal verify`.", id="journal.W001") for text in found]


@register(Tags.models)
def exact_fields(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """An error for each governed field that two databases would write down differently."""
    return [
        Error(f"{shape.noun.__name__}.{field.name} is a {type(field).__name__}.", hint="Use Decimal or DocumentField.", id="journal.E002")
        for shape in shapes()
        for field in shape.model._meta.concrete_fields
        if isinstance(field, _INEXACT)
    ]
