"""An object's history as people read it: who, when, why, what changed from what to what, and how far it is proven."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Field, ForeignKey, Model
from django.utils.formats import localize
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from config.portal.templatetags.portal import absolute
from stewardship.journal import canonical
from stewardship.journal.acting import LATE
from stewardship.journal.fields import DocumentField
from stewardship.journal.proof import Place, places
from stewardship.journal.sight import allowed
from stewardship.journal.tables import Shape

PER_PAGE = 25


@dataclass(frozen=True)
class Change:
    """One field's step."""

    name: str
    label: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Revision:
    """One row of the record."""

    record: str
    op: str
    at: datetime
    actor_id: UUID
    reason: str
    changes: list[Change]
    place: Place

    @property
    def entered_later(self) -> bool:
        """Said to have happened well before it was written."""
        return self.place.recorded is not None and self.place.recorded - self.at > LATE


def revisions(shape: Shape, pk: UUID, before: int | None = None) -> tuple[list[Revision], int | None]:
    """A page of revisions, the newest first, and where the next page starts."""
    if shape.kind == "fact":
        row = shape.model._base_manager.get(pk=pk)
        return _described(shape, [row], []), None
    rows: Any = shape.model._base_manager.filter(**{shape.object_field.attname: pk})
    if before is not None:
        rows = rows.filter(history_id__lt=before)
    found = list(rows.order_by("-history_id")[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    return _described(shape, shown, found[1:]), shown[-1].pk if len(found) > PER_PAGE else None


def _described(shape: Shape, rows: Sequence[Any], older: Sequence[Any]) -> list[Revision]:
    records = [str(row.pk) for row in rows]
    stand = places(shape.table, records)
    history = shape.kind == "history"
    return [
        Revision(
            record=record,
            op=row.history_type if history else "+",
            at=row.history_date if history else row.at,
            actor_id=row.history_user_id if history else row.actor_id,
            reason=(row.history_change_reason if history else row.reason) or "",
            changes=_changes(shape, row, older[number] if number < len(older) else None),
            place=stand[record],
        )
        for number, (record, row) in enumerate(zip(records, rows, strict=True))
    ]


def _changes(shape: Shape, row: Any, older: Any | None) -> list[Change]:
    changes = []
    for field in shape.body:
        new, old = getattr(row, field.attname), getattr(older, field.attname) if older is not None else None
        if new != old or (older is None and new not in (None, "")):
            changes.append(Change(field.attname, capfirst(str(field.verbose_name)), _shown(field, old), _shown(field, new)))
    return changes


def _shown(field: Field[Any, Any], value: Any) -> Any:
    """A value as people read it; a foreign key stays a key until `named` finds its name."""
    if value is None or value == "":
        return ""
    if field.choices:
        return dict(field.flatchoices).get(value, value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, DocumentField):
        return msgspec.json.format(canonical.dump(value), indent=2).decode()
    if isinstance(field, ForeignKey):
        return value
    return absolute(value) if isinstance(value, datetime) else localize(value)


def named(user: Any, shape: Shape, found: Sequence[Revision]) -> list[Revision]:
    """The same revisions, with names for the keys of whatever this person may see; one query per noun that they point at."""
    points_at = {
        field.attname: field.related_model
        for field in shape.body
        if isinstance(field, ForeignKey) and isinstance(field.related_model, type)
    }
    keys: defaultdict[type[Model], set[Any]] = defaultdict(set)
    for change in (change for item in found for change in item.changes if change.name in points_at):
        keys[points_at[change.name]] |= {change.old, change.new} - {None, ""}
    names = {noun: {row.pk: str(row) for row in allowed(user, noun).filter(pk__in=some)} for noun, some in keys.items() if some}

    def name(change: Change) -> Change:
        known = names.get(points_at.get(change.name, Model), {})
        return replace(change, old=known.get(change.old, change.old), new=known.get(change.new, change.new))

    return [replace(item, changes=[name(change) for change in item.changes]) for item in found]
