"""Which tables are governed, and how a row of each is read for its leaf."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.apps import apps
from django.db import DatabaseError, DataError, models, transaction
from django.db.models.expressions import Expression, F, Value
from django.db.models.functions import Cast
from simple_history.models import HistoricalChanges

from stewardship.journal import leaf
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact
from stewardship.journal.snapshot import undecodable
from stewardship.journal.stored import Among, written_rows

REASON: Final = "reason"
SCHEMA_TABLE: Final = "journal_schema"  # no table: the leaf itself is the record
_HISTORY_HEAD: Final = frozenset({"history_id", "history_date", "history_type", "history_user_id", "history_change_reason"})
_FACT_HEAD: Final = frozenset({"id", "at", "actor_id", REASON})


@dataclass(frozen=True)
class Row:
    """One live row, ready to be written down."""

    hid: str
    obj: str
    op: str
    at: str
    actor: str
    values: dict[str, leaf.Value]


@dataclass(frozen=True)
class Shape:
    """A governed table: a history table, or the table of a fact."""

    model: type[models.Model]
    kind: Literal["history", "fact"]

    @functools.cached_property
    def noun(self) -> type[models.Model]:
        """The model a person knows: the tracked one, or the fact itself."""
        tracked: type[models.Model] = getattr(self.model, "instance_type", self.model)  # a history model names what it tracks
        return tracked

    @property
    def table(self) -> str:
        """The table's name, as entries carry it."""
        return self.model._meta.db_table

    @functools.cached_property
    def key(self) -> models.Field[Any, Any]:
        """The column that identifies a row."""
        return self.model._meta.pk

    @functools.cached_property
    def object_field(self) -> models.Field[Any, Any]:
        """The column whose value is the chain the row belongs to."""
        name = self.noun._meta.pk.attname if self.kind == "history" else getattr(self.model, "journal_object", "id")
        return next(field for field in self.model._meta.concrete_fields if field.attname == name)

    @functools.cached_property
    def personal(self) -> frozenset[str]:
        """Fields that enter the journal as commitments; the reason is free text and always one."""
        named: frozenset[str] = getattr(self.noun, "personal", frozenset())
        return frozenset({REASON}) | frozenset(field.attname for field in self.body if {field.name, field.attname} & named)

    @functools.cached_property
    def body(self) -> list[models.Field[Any, Any]]:
        """The fields that say what the row holds, without who, when and why."""
        if self.kind == "fact":
            return [field for field in self.model._meta.concrete_fields if field.attname not in _FACT_HEAD]
        key = self.object_field.attname
        return [field for field in self.model._meta.concrete_fields if field.attname not in _HISTORY_HEAD and field.attname != key]

    @functools.cached_property
    def schema(self) -> dict[str, leaf.Value]:
        """What the leaves of this table hold; a changed table is a new schema and leaves old leaves alone."""
        types = {REASON: "TextField"} | {field.attname: _type(field) for field in self.body}
        hidden = {name: f"{kind} personal" if name in self.personal else kind for name, kind in types.items()}
        head = {"kind": self.kind, "table": self.table, "object": self.object_field.attname}
        return {**head, **{f"f.{name}": kind for name, kind in hidden.items()}}

    @functools.cached_property
    def schema_id(self) -> str:
        """SHA-256 of the canonical schema, in hex."""
        return hashlib.sha256(leaf.canonical(self.schema)).hexdigest()

    @functools.cached_property
    def _columns(self) -> tuple[list[str], list[Expression | str]]:
        if self.kind == "fact":
            head = ["id", self.object_field.attname, "at", "actor_id", REASON]
            selected: list[Expression | str] = [*head, Value("+")]
        else:
            head = ["history_id", self.object_field.attname, "history_date", "history_user_id", "history_change_reason"]
            selected = [*head, "history_type"]
        body = self.body
        # Documents are read as the text that is stored: a changed space is a changed row.
        selected += [Cast(F(f.attname), models.TextField()) if isinstance(f, DocumentField) else f.attname for f in body]
        return [field.attname for field in body], selected

    def rows(self, keys: Iterable[Any]) -> Iterator[Row]:
        """The live rows with these keys, in one query."""
        names, selected = self._columns
        found = self.model._base_manager.filter(Among(F("pk"), list(keys))).order_by().values_list(*selected)
        for hid, obj, at, actor, reason, op, *rest in written_rows(found):
            if at is None:  # what the driver makes of a text that is no date
                raise ValueError("This row's date cannot be read.")
            values = dict(zip(names, rest, strict=True))
            values[REASON] = reason or ""
            yield Row(str(hid), str(obj), str(op), str(at), str(actor), values)

    def read(self, keys: Iterable[Any]) -> tuple[dict[str, Row], dict[str, str]]:
        """The live rows by key, and why others cannot be read: SQLite keeps any bytes that somebody puts into a column."""
        wanted = list(keys)
        try:
            with transaction.atomic():
                return {row.hid: row for row in self.rows(wanted)}, {}
        except DatabaseError as error:
            if not (isinstance(error, DataError) or undecodable(error)):
                raise
            reason = str(error)
        except Exception as error:  # whatever a converter makes of such a value
            reason = f"{type(error).__name__}: {error}"
        if len(wanted) == 1:
            return {}, {str(wanted[0]): reason}
        half = len(wanted) // 2
        (rows, bad), (more_rows, more_bad) = self.read(wanted[:half]), self.read(wanted[half:])
        return rows | more_rows, bad | more_bad

    def text_of(self, field: models.Field[Any, Any], prefix: str, vendor: str) -> str:
        """SQL for a key as entries carry it: numbers in decimal, UUIDs with dashes."""
        column = f'{prefix}"{field.column}"'
        if vendor == "sqlite" and _type(field) == "UUIDField":
            places = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
            return "||'-'||".join(f"substr({column},{start},{count})" for start, count in places)
        return f"CAST({column} AS TEXT)"


def _type(field: models.Field[Any, Any]) -> str:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return field.get_internal_type()


def shapes() -> list[Shape]:
    """Every governed table of the installed apps, by name."""
    found: list[Shape] = []
    for model in apps.get_models(include_auto_created=True):
        if issubclass(model, HistoricalChanges):
            found.append(Shape(model, "history"))
        elif issubclass(model, Fact):
            found.append(Shape(model, "fact"))
    return sorted(found, key=lambda shape: shape.table)


def shape_of(table: str) -> Shape | None:
    """The governed table with this name."""
    return by_table().get(table)


def by_table() -> dict[str, Shape]:
    """Every governed table by name; made once, since the installed apps do not change."""
    if not _shapes:
        _shapes.update({shape.table: shape for shape in shapes()})
    return _shapes


_shapes: dict[str, Shape] = {}
