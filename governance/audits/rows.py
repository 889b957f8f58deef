"""Every journal entry of a model and of what belongs to it, up to one size of the journal, with the rows behind them."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from governance.audits.errors import RowDiffers
from stewardship.documents.models import Blob
from stewardship.inventory.models import RegisteredModel
from stewardship.journal import findings, leaf
from stewardship.journal.models import Entry, Secret
from stewardship.journal.rebuild import Leaf, Rebuilder
from stewardship.journal.record import Fact, Recorded
from stewardship.journal.stored import utc
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


def as_they_stood(noun: type[models.Model], keys: Iterable[Any], at: datetime, size: int) -> dict[str, Any]:
    """The newest row of each of these objects, by its key, up to an instant and a size of the journal; raises RowDiffers.

    What a report prints of objects that are none of the model's own (names of people, roles, regions) is not attached to
    it, so the seal alone vouches for it. What is not governed, or not journalled yet, is left out.
    """
    shape = next((one for one in by_table().values() if one.noun is noun), None)
    newest: dict[str, Entry] = {}
    if shape is not None:
        for entry in _entries_of(shape, sorted(map(str, keys)), size):  # in the order of the journal
            key = entry.hid if shape.kind == "fact" else entry.obj
            before = newest.get(key)
            if _at(entry) <= utc(at) and (before is None or _at(before) <= _at(entry)):
                newest[key] = entry
    return {key: found.row for (key, _entry), found in zip(newest.items(), _rows(list(newest.values())), strict=True)}


def _entries_of(shape: Shape, keys: list[str], size: int) -> list[Entry]:
    column = "hid" if shape.kind == "fact" else "obj"
    found: list[Entry] = []
    for start in range(0, len(keys), CHUNK):
        found.extend(Entry.objects.filter(**{f"{column}__in": keys[start : start + CHUNK]}, tbl=shape.table, index__lt=size))
    return sorted(found, key=lambda entry: entry.index)


def _at(entry: Entry) -> str:
    """When it happened; leaf v1 writes every instant in one form, so that text sorts as time."""
    return str(_document(entry)["at"])


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
    above = models.Q(family_id=model.family_id) | models.Q(region_id__in=model.region.way_up())
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
            value = _document(entry)["f"].get(column)
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
    _refuse_differing(entries)
    keys = [entry.hid for entry in entries]
    values = {row.hid: row.values for row in shape.rows(keys)}
    live = {str(row.pk): row for row in shape.model._base_manager.filter(pk__in=keys)}
    salts = {(one.hid, one.field): bytes(one.salt) for one in Secret.objects.filter(tbl=shape.table, hid__in=keys)}
    for entry in entries:
        document = _document(entry)
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
                openings=tuple(_openings(entry, document, values[entry.hid], salts)),
            ),
        )


def _refuse_differing(entries: list[Entry]) -> None:
    """Rebuild each leaf from its live row, as `journal verify` does; raises RowDiffers at the first that is another.

    SECURITY: who, when and why are compared like every value, and a salt that is gone refuses: there is no lawful erasure
    yet, so its absence can only mean that the value behind a commitment was exchanged.
    """
    found = findings.Report()
    Rebuilder(found).check(
        [
            Leaf(
                index=entry.index,
                tbl=entry.tbl,
                hid=entry.hid,
                obj=entry.obj,
                n=entry.n,
                prev=entry.prev,
                payload=entry.payload,
                leaf_hash=bytes(entry.leaf_hash),
            )
            for entry in entries
        ]
    )
    for problem in found.problems:
        raise _differs(problem.table, problem.record, problem.index, f"{problem.field}: {problem.text}".removeprefix(": "))


def _document(entry: Entry) -> dict[str, Any]:
    """The leaf of an entry; raises RowDiffers when it is none."""
    try:
        return leaf.parse(entry.payload.encode("utf-8", "surrogatepass"))
    except leaf.LeafError as error:
        raise _differs(entry.tbl, entry.hid, entry.index, str(error)) from error


def _differs(table: str, hid: str, index: int | None, what: str) -> RowDiffers:
    return RowDiffers(
        _("Row %(hid)s of %(table)s is not what entry %(index)s of the journal recorded (%(what)s).")
        % {"hid": hid, "table": table, "index": index, "what": what.rstrip(".")},
        remedy=_("Run “manage.py journal verify”: something was changed behind the portal."),
    )


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
