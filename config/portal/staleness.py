"""Two people who edit the same row: the later form is refused once, and told what the earlier one changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils.translation import gettext as _

from config.portal.errors import Conflict

Inline = tuple[type[Model], str]


class Stale(Conflict):
    """The form was filled from an older state; `now` is the state that has been told of."""

    def __init__(self, message: str, *, now: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.now = now


def seen(row: Any, inlines: Iterable[Inline]) -> str:
    """The state of a row and of what is edited with it, as the last history id of each; empty where no history is kept."""
    return _text(_latest(row, inlines)) if _history(type(row)) else ""


def check(row: Any, inlines: Sequence[Inline], was: str) -> None:
    """Lock the row and raise Stale unless its state still is what it `was`. A program that never saw a form says nothing."""
    if not was or not _history(type(row)):
        return
    type(row)._base_manager.select_for_update().filter(pk=row.pk).first()
    latest = _latest(row, inlines)
    now = _text(latest)
    if now == was:
        return
    known = [int(part) if part.isdecimal() else 0 for part in was.split(".")]
    newer = [last for last, before in zip_longest(latest, known[: len(latest)]) if last is not None and last.history_id != before]
    changed = [what for last in newer for what in (_fields(last, known[0]) if last is latest[0] else [_rows(last)])]
    who = get_user_model()._base_manager.filter(pk__in=[last.history_user_id for last in newer[-1:]]).first()
    raise Stale(
        _("%(name)s has saved this meanwhile and changed: %(what)s.") % {"name": who or _("Somebody"), "what": ", ".join(changed) or "–"},
        now=now,
        remedy=_("Your values still stand here and are not saved. Compare them with its history, then save again."),
    )


def _history(model: type[Any]) -> Any:
    """The model of a noun's history rows, where it keeps any."""
    return getattr(getattr(model, "history", None), "model", None)


def _latest(row: Any, inlines: Iterable[Inline]) -> list[Any]:
    """The last history row of the row itself, and of all rows of each inline together."""
    asked = [(type(row), row._meta.pk.attname), *inlines]
    return [
        history.objects.filter(**{column: row.pk}).order_by("-history_id").first() if (history := _history(model)) else None
        for model, column in asked
    ]


def _text(latest: Iterable[Any]) -> str:
    return ".".join(str(last.history_id if last is not None else 0) for last in latest)


def _fields(last: Any, before: int) -> list[str]:
    """What differs between the state that the form was filled from and the last one."""
    first = type(last).objects.filter(history_id=before, **{last.instance_type._meta.pk.attname: last.instance.pk}).first()
    fields = [field for field in last.instance_type._meta.concrete_fields if hasattr(last, field.attname)]
    return [str(field.verbose_name) for field in fields if getattr(first, field.attname, None) != getattr(last, field.attname)]


def _rows(last: Any) -> str:
    return str(last.instance_type._meta.verbose_name_plural)
