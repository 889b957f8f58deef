"""Writes each entry's leaf again from the live row, and names what differs."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db.models import F

from stewardship.journal import leaf, merkle
from stewardship.journal.findings import Problem, Report
from stewardship.journal.models import Entry, Secret
from stewardship.journal.sequence import GONE
from stewardship.journal.snapshot import octets
from stewardship.journal.stored import Among
from stewardship.journal.tables import SCHEMA_TABLE, Row, Shape, by_table

_TEXTS: Final = ("recorded", "schema", "nonce", "op")


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry as the database holds it."""

    index: int
    tbl: str
    hid: str
    obj: str
    n: int
    prev: str
    payload: str
    leaf_hash: bytes


@dataclass(frozen=True)
class _Salted:
    salts: dict[str, bytes]
    missing: list[str]


class Rebuilder:
    """Checks chunks of entries against their rows; one query per table and chunk."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.rows = 0
        self._schemas: dict[str, dict[str, str]] = {}

    def check(self, leaves: list[Leaf]) -> list[bytes]:
        """Report what differs; the leaf hashes that the payloads really have."""
        grouped: dict[str, list[Leaf]] = defaultdict(list)
        hashes = []
        for item in leaves:
            hashed = merkle.leaf_hash(item.payload.encode("utf-8", "surrogatepass"))
            hashes.append(hashed)
            if hashed != item.leaf_hash:
                self._problem(item, "The entry's payload does not have the entry's hash.")
            grouped[item.tbl].append(item)
        for tbl, items in grouped.items():
            if tbl == SCHEMA_TABLE:
                for item in items:
                    self._attempt(item, partial(self._check_schema, item))
            else:
                self._check_table(tbl, items)
        return hashes

    def _problem(self, item: Leaf, text: str, field: str = "") -> None:
        self.report.add(Problem(item.tbl, item.hid, text, field=field, index=item.index))

    def _document(self, item: Leaf) -> dict[str, Any] | None:
        try:
            document: dict[str, Any] = msgspec.json.decode(item.payload)
            if isinstance(document["f"], dict) and all(isinstance(document[name], str) for name in _TEXTS):
                return document
        except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError):
            pass
        self._problem(item, "The entry's payload is no leaf.")
        return None

    def _check_table(self, tbl: str, items: list[Leaf]) -> None:
        shape = by_table().get(tbl)
        live, unreadable = shape.read([item.hid for item in items]) if shape else ({}, {})
        salts: dict[str, dict[str, bytes]] = defaultdict(dict)
        found = Secret.objects.filter(Among(F("hid"), [item.hid for item in items]), tbl=tbl)
        for hid, field, salt in found.values_list("hid", "field", "salt"):
            salts[hid][field] = octets(salt)
        for item in items:
            document = self._document(item)
            row = live.get(item.hid)
            if document is None:
                continue
            if shape is None:
                self.report.undecided.append(f"{tbl} is no governed table of this version of the portal.")
            elif item.hid in unreadable:
                self._problem(item, f"The row cannot be read: {unreadable[item.hid]}")
            elif row is None:
                self._problem(item, "The row was removed." if document["op"] != GONE else "The row was removed before it was sequenced.")
            else:
                self.rows += 1
                self._attempt(item, partial(self._check_row, item, document, row, shape, salts[item.hid]))

    def _attempt(self, item: Leaf, check: Callable[[], None]) -> None:
        """What no leaf can hold is named like any other difference; nothing stops a verification."""
        try:
            check()
        except (ValueError, TypeError, RecursionError) as error:
            self._problem(item, f"The row or its entry holds what no leaf can: {error}")

    def _check_row(self, item: Leaf, document: dict[str, Any], row: Row, shape: Shape, salts: dict[str, bytes]) -> None:
        head = {
            "v": leaf.VERSION,
            "log": settings.JOURNAL_ORIGIN,
            "tbl": item.tbl,
            "hid": item.hid,
            "obj": row.obj,
            "op": row.op,
            "at": row.at,
            "recorded": document["recorded"],
            "actor": row.actor,
            "schema": document["schema"],
            "nonce": document["nonce"],
            "prev": item.prev,
            "n": item.n,
        }
        values, personal, kept = self._as_written(document, row, shape)
        missing: list[str] = []

        def salt(field: str) -> bytes:
            if field not in salts:
                missing.append(field)
            return salts.get(field, b"")

        expected = self._payload(head, values, personal, kept, salt)
        if expected == item.payload.encode("utf-8", "surrogatepass"):
            return
        for field in missing:
            self._problem(item, "The salt of this value is gone, so it cannot be compared.", field)
        rebuilt = json.loads(expected)
        self._name_differences(item, document, rebuilt, missing)

    def _payload(
        self, head: dict[str, Any], values: dict[str, leaf.Value], personal: frozenset[str], kept: dict[str, Any], salt: Any
    ) -> bytes:
        def within(limit: int) -> bytes:
            return leaf.canonical({**head, "f": {**leaf.fields(values, personal, salt, limit), **kept}})

        wide = within(leaf.WIDE)
        return wide if len(wide) <= leaf.LIMIT else within(leaf.NARROW)

    def _name_differences(self, item: Leaf, document: dict[str, Any], rebuilt: dict[str, Any], missing: list[str]) -> None:
        before = len(self.report.problems) + self.report.more
        for name in sorted(set(rebuilt) | set(document)):
            if name != "f" and rebuilt.get(name) != document.get(name):
                self._problem(item, "The entry does not say what its row says.", name)
        for name in sorted(set(rebuilt["f"]) | set(document["f"])):
            if name not in missing and rebuilt["f"].get(name) != document["f"].get(name):
                self._problem(item, "The row's value is not the one that was written.", name)
        if len(self.report.problems) + self.report.more == before:
            self._problem(item, "The entry's payload is not in its canonical form.")

    def _as_written(self, document: dict[str, Any], row: Row, shape: Shape) -> tuple[dict[str, leaf.Value], frozenset[str], dict[str, Any]]:
        """The row's values as its leaf's own schema names them; values whose column has gone are kept as they are."""
        if document["schema"] == shape.schema_id:
            return row.values, shape.personal, {}
        then = self._schema(str(document["schema"]))
        values: dict[str, leaf.Value] = {}
        kept: dict[str, Any] = {}
        now = shape.schema
        for name, kind in then.items():
            if str(now.get(f"f.{name}", "")).split(" ")[0] == kind.split(" ")[0]:
                values[name] = row.values[name]
            else:
                kept[name] = document["f"].get(name)
                self.report.cannot_compare(shape.table, name)
        return values, frozenset(name for name, kind in then.items() if kind.endswith(" personal")), kept

    def _schema(self, schema_id: str) -> dict[str, str]:
        """Field → type of an older schema, from its own leaf; empty when there is no such leaf."""
        if schema_id not in self._schemas:
            payload = Entry.objects.filter(tbl=SCHEMA_TABLE, hid=schema_id).values_list("payload", flat=True).first()
            try:
                fields = leaf.parse(str(payload).encode())["f"]
            except ValueError:  # absent, or altered: then its own entry is named
                fields = {}
            self._schemas[schema_id] = {name[2:]: str(kind) for name, kind in fields.items() if name.startswith("f.")}
        return self._schemas[schema_id]

    def _check_schema(self, item: Leaf) -> None:
        document = self._document(item)
        if document is None:
            return
        if hashlib.sha256(leaf.canonical(document["f"])).hexdigest() != item.hid:
            self._problem(item, "The schema is not the one that its leaves name.")
