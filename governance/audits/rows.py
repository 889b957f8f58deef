"""Every journal entry of a model and of what belongs to it, up to one size of the journal, with the rows behind them."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from governance.audits.errors import RowDiffers
from stewardship.documents.models import Blob
from stewardship.inventory.models import RegisteredModel
from stewardship.journal import leaf
from stewardship.journal.models import Entry, Secret
from stewardship.journal.record import Fact, Recorded
from stewardship.journal.tables import REASON, Shape, by_table
from stewardship.roles.models import RoleAssignment

CHUNK = 400  # ids in one query; SQLite takes 999 parameters


@dataclass(frozen=True)
class Row:
    """One entry, and the row it was made from: a historical row of a noun, or a fact."""

    index: int
    label: str  # "governance.ChangeRequest"
    obj: str
    n: int
    leaf: dict[str, Any]
    payload: str
    leaf_hash: bytes
    row: Any  # the historical instance or the fact
    openings: tuple[dict[str, Any], ...] = ()

    @property
    def reason(self) -> str:
        """Why it was done, in the actor's words."""
        return str(getattr(self.row, "history_change_reason", None) or getattr(self.row, "reason", "") or "")


@dataclass
class Rows:
    """All rows in the order of the journal, and the ways in which a report reads them."""

    all: list[Row]
    by_label: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one in self.all:
            self.by_label[one.label].append(one)

    def facts(self, label: str) -> list[Row]:
        """Every row of a kind, oldest first: what happened."""
        return self.by_label.get(label, [])

    def latest(self, label: str) -> list[Row]:
        """The last state of each object of a kind that still existed."""
        last = {str(one.row.pk if issubclass(type(one.row), Fact) else one.row.id): one for one in self.facts(label)}
        return [one for one in last.values() if one.leaf["op"] != "-"]

    def steps(self, label: str) -> dict[str, list[Row]]:
        """The rows of a kind by object."""
        found: dict[str, list[Row]] = defaultdict(list)
        for one in self.facts(label):
            found[one.obj].append(one)
        return found


def collect(model: RegisteredModel, size: int) -> Rows:
    """The rows of this model in the journal of this size; raises RowDiffers when one is no longer what the journal recorded."""
    objects = _belonging(model)
    entries = _entries(objects, size)
    files = _files_of(entries)
    if files:
        entries = sorted([*entries, *_entries(files, size)], key=lambda entry: entry.index)
    return Rows(list(_rows(entries)))


def _nouns() -> Iterator[type[Recorded] | type[Fact]]:
    for noun in apps.get_models():
        if issubclass(noun, Recorded | Fact) and getattr(noun, "access_paths", None) is not None:
            yield noun


def _belonging(model: RegisteredModel) -> set[str]:
    """Ids of the chains of the model and of everything whose path to a scope leads through it, deleted objects too."""
    found: set[str] = set()
    for noun in _nouns():
        chain = noun.journal_object if issubclass(noun, Fact) else "id"
        for lookup in noun.access_paths.model:
            found.update(map(str, noun._base_manager.filter(**{lookup: model.pk}).values_list(chain, flat=True).distinct()))
            if issubclass(noun, Recorded) and "__" not in lookup:
                found.update(map(str, noun.history.filter(**{lookup: model.pk}).values_list("id", flat=True).distinct()))
    found.update(map(str, _assignments_above(model)))
    return found


def _assignments_above(model: RegisteredModel) -> Iterable[UUID]:
    """Roles held on the family or on a region above are roles over this model."""
    regions = [region.pk for region in model.region.ancestors_and_self()]
    above = models.Q(family_id=model.family_id) | models.Q(region_id__in=regions)
    return list(RoleAssignment.history.filter(above).values_list("id", flat=True).distinct())


def _entries(objects: Iterable[str], size: int) -> list[Entry]:
    wanted = sorted(objects)
    found: list[Entry] = []
    for start in range(0, len(wanted), CHUNK):
        found.extend(Entry.objects.filter(obj__in=wanted[start : start + CHUNK], index__lt=size))
    return sorted(found, key=lambda entry: entry.index)


def _files_of(entries: list[Entry]) -> set[str]:
    """The files that these rows point at: their digests are rows of their own."""
    shapes = by_table()
    columns = {
        table: [column.attname for column in shape.model._meta.concrete_fields if getattr(column, "related_model", None) is Blob]
        for table, shape in shapes.items()
    }
    found: set[str] = set()
    for entry in entries:
        for column in columns.get(entry.tbl, ()):
            value = leaf.parse(entry.payload.encode())["f"].get(column)
            if isinstance(value, str):
                found.add(value)
    return found


def _rows(entries: list[Entry]) -> Iterator[Row]:
    by_shape: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_shape[entry.tbl].append(entry)
    made: dict[int, Row] = {}
    for table, some in by_shape.items():
        shape = by_table().get(table)
        if shape is None:
            raise RowDiffers(_("The table %(table)s of the journal is not one of this installation.") % {"table": table})
        for start in range(0, len(some), CHUNK):
            made.update(_of_one_table(shape, some[start : start + CHUNK]))
    return (made[entry.index] for entry in entries)


def _of_one_table(shape: Shape, entries: list[Entry]) -> Iterator[tuple[int, Row]]:
    keys = [entry.hid for entry in entries]
    values = {row.hid: row for row in shape.rows(keys)}
    live = {str(row.pk): row for row in shape.model._base_manager.filter(pk__in=keys)}
    salts = {(one.hid, one.field): bytes(one.salt) for one in Secret.objects.filter(tbl=shape.table, hid__in=keys)}
    for entry in entries:
        document = leaf.parse(entry.payload.encode())
        found = values.get(entry.hid)
        if found is None or not _same(document, found.values, shape, entry.hid, salts):
            raise RowDiffers(
                _("Row %(hid)s of %(table)s is not what entry %(index)d of the journal recorded.")
                % {"hid": entry.hid, "table": shape.table, "index": entry.index},
                remedy=_("Run “manage.py journal verify”: something was changed behind the portal."),
            )
        yield (
            entry.index,
            Row(
                index=entry.index,
                label=shape.noun._meta.label,
                obj=entry.obj,
                n=entry.n,
                leaf=document,
                payload=entry.payload,
                leaf_hash=bytes(entry.leaf_hash),
                row=live[entry.hid],
                openings=tuple(_openings(entry, document, found.values, salts)),
            ),
        )


def _same(document: dict[str, Any], values: dict[str, leaf.Value], shape: Shape, hid: str, salts: dict[tuple[str, str], bytes]) -> bool:
    """Whether the live row still has each value of its leaf. Columns added later are in no old leaf; an erased value has no salt."""
    for name, held in document["f"].items():
        if name not in values:
            continue
        value = values[name]
        if isinstance(held, dict) and "c" in held:
            salt = salts.get((hid, name))
            if salt is not None and leaf.commitment(salt, value) != held:
                return False
        elif held not in (leaf.short(value), leaf.short(value, leaf.NARROW)):
            return False
    return True


def _openings(
    entry: Entry, document: dict[str, Any], values: dict[str, leaf.Value], salts: dict[tuple[str, str], bytes]
) -> Iterator[dict[str, Any]]:
    """The reason and long texts in full. Names and addresses of people stay closed: a report needs no more of them than it prints."""
    for name, held in document["f"].items():
        if not isinstance(held, dict):
            continue
        if "c" in held:
            salt = salts.get((entry.hid, name))
            if name == REASON and salt is not None:
                yield {"index": entry.index, "field": name, "value": values[name], "salt": base64.b64encode(salt).decode()}
        elif name in values:
            yield {"index": entry.index, "field": name, "value": values[name]}
