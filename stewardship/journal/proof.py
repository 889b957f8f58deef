"""Where a row stands in the journal, and the evidence that can be taken away."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import Subquery
from django.utils.translation import gettext as _

from stewardship.journal import merkle
from stewardship.journal.errors import NotSequenced, UnknownRecord
from stewardship.journal.models import Checkpoint, Entry, Outbox, Secret
from stewardship.journal.proof_file import Proof
from stewardship.journal.publish import latest, read_tile
from stewardship.journal.tables import shape_of

State = Literal["queued", "sequenced", "published", "unknown"]


@dataclass(frozen=True)
class Place:
    """How far a row has come: its state, its index, and the database clock when it was written."""

    state: State
    index: int | None = None
    recorded: datetime | None = None


def places(table: str, records: Iterable[str]) -> dict[str, Place]:
    """Where these rows of one table stand, in two queries at most."""
    wanted = [str(record) for record in records]
    signed = Checkpoint.objects.exclude(note="").order_by("-size").values("size")[:1]
    entries = Entry.objects.filter(tbl=table, hid__in=wanted, index__gte=0).annotate(signed=Subquery(signed))
    rows = entries.values_list("hid", "index", "payload", "signed")
    found = {hid: _place(index, payload, size or 0) for hid, index, payload, size in rows}
    if len(found) < len(wanted):
        for hid, recorded in Outbox.objects.filter(tbl=table, hid__in=wanted).values_list("hid", "recorded"):
            found.setdefault(hid, Place("queued", recorded=recorded))
    return {hid: found.get(hid, Place("unknown")) for hid in wanted}


def _place(index: int, payload: str, size: int) -> Place:
    """Where an entry stands; unknown when somebody put in one that is no leaf."""
    try:
        recorded = datetime.fromisoformat(json.loads(payload)["recorded"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return Place("unknown")
    return Place("published" if index < size else "sequenced", index, recorded)


class Prover:
    """Proofs against one checkpoint; reads each tile once, so that many proofs of one report are cheap."""

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        found = checkpoint or latest()
        if found is None or not found.note:
            raise NotSequenced(_("No checkpoint is signed yet."), remedy=_("Try again in a few seconds."))
        self.checkpoint = found
        self._tree = merkle.Tree(found.size, read_tile)

    def proof(self, table: str, record: str) -> Proof:
        """The proof of one row; raises UnknownRecord or NotSequenced."""
        entry = Entry.objects.filter(tbl=table, hid=str(record), index__gte=0).first()
        if entry is None:
            if Outbox.objects.filter(tbl=table, hid=str(record)).exists():
                raise NotSequenced(_("This row waits for the journal."), remedy=_("Try again in a few seconds."))
            raise UnknownRecord(_("The journal holds no such row."), field="record", remedy=_("Give the table and record of an entry."))
        return self.of(entry)

    def of(self, entry: Entry) -> Proof:
        """The proof of one entry; raises NotSequenced when the checkpoint does not cover it."""
        if entry.index >= self.checkpoint.size:
            raise NotSequenced(_("No signed checkpoint covers this entry yet."), remedy=_("Try again in a few seconds."))
        path = self._tree.inclusion(entry.index)
        return Proof(entry.payload.encode(), entry.index, path, self.checkpoint.note)

    def consistency(self, old: int) -> list[bytes]:
        """Proof that this checkpoint continues the one of `old` entries."""
        return self._tree.consistency(old)


def evidence(table: str, record: str, prover: Prover) -> dict[str, Any]:
    """One row with its plain values, the salts that open its commitments, and its proof: what an auditor checks offline.

    `offline.check_evidence` is the other half.
    """
    shape = shape_of(table)
    if shape is None:
        raise UnknownRecord(_("%(table)s is no governed table.") % {"table": table}, field="table", remedy=_("Give the table of an entry."))
    key: Any = record if shape.kind == "fact" else int(record)
    row = next(iter(shape.rows([key])), None)
    if row is None:
        raise UnknownRecord(_("There is no such row."), field="record", remedy=_("Give the record of an entry."))
    salts = Secret.objects.filter(tbl=table, hid=str(record)).values_list("field", "salt")
    return {
        "table": table,
        "record": row.hid,
        "object": row.obj,
        "op": row.op,
        "at": row.at,
        "actor": row.actor,
        "values": row.values,
        "salts": {field: base64.b64encode(bytes(salt)).decode() for field, salt in salts},
        "proof": prover.proof(table, record).write(),
    }
