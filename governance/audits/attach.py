"""The machine-readable half of a report: rows, proof, checkpoint, manifest. The same input gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.translation import gettext as _

from governance.audits import subtree
from governance.audits.errors import JournalNotReady
from governance.audits.models import Report
from governance.audits.offline import CHECKPOINT, MANIFEST, OPENINGS, PROOF, ROWS, VERSION
from governance.audits.rows import Rows
from stewardship.journal import leaf
from stewardship.journal.merkle import Tree
from stewardship.journal.models import Checkpoint
from stewardship.journal.publish import read_tile
from stewardship.journal.stored import utc

README = "README.txt"
README_TEXT = """Concordat audit report: the machine-readable half

rows.jsonl      one line per journal entry: its index and its leaf, exactly as it was hashed
openings.jsonl  longer texts and reasons, which a leaf holds as a digest or a salted commitment
proof.json      the hashes that, with the rows, lead to the root of the checkpoint
checkpoint.txt  the signed head of the journal (C2SP signed note)
manifest.json   every object with the number of its entries and its last leaf hash; every file with its SHA-256

To check everything without this portal, without a database and without a network:
    concordat verify FILE --trust trust.json
trust.json says which keys to believe. Ask for it by another way than the one this file came by.
"""


def files(report: Report, rows: Rows) -> dict[str, bytes]:
    """Name and bytes of each file, the manifest last."""
    made = {
        README: README_TEXT.encode(),
        ROWS: "".join(f'{{"index":{one.index},"leaf":{one.payload}}}\n' for one in rows.all).encode(),
        OPENINGS: b"".join(leaf.canonical(opening) + b"\n" for one in rows.all for opening in one.openings),
        PROOF: _json({"size": report.size, "nodes": _nodes(report.size, rows)}),
        CHECKPOINT: checkpoint(report.size).note.encode(),
    }
    made[MANIFEST] = _json(_manifest(report, rows, made))
    return made


def checkpoint(size: int) -> Checkpoint:
    """The signed checkpoint at this size; raises JournalNotReady."""
    found = Checkpoint.objects.filter(size=size).exclude(note="").first()
    if found is None:
        raise JournalNotReady(_("There is no signed checkpoint at %(size)d entries.") % {"size": size})
    return found


def _nodes(size: int, rows: Rows) -> dict[str, str]:
    tree = Tree(size, read_tile)
    return subtree.build(size, [one.index for one in rows.all], tree.inclusion)


def _manifest(report: Report, rows: Rows, made: dict[str, bytes]) -> dict[str, Any]:
    heads: dict[str, dict[str, Any]] = {}
    for one in rows.all:
        head = heads.setdefault(one.obj, {"object": one.obj, "label": one.label, "count": 0, "head": ""})
        head["count"] += 1
        head["head"] = one.leaf_hash.hex()
    origin = rows.all[0].leaf["log"] if rows.all else ""
    return {
        "v": VERSION,
        "kind": report.kind,
        "report": str(report.pk),
        "subject": {"label": "stewardship.RegisteredModel", "id": str(report.model_id)},
        "origin": origin,
        "as_of": {"at": utc(report.as_of), "size": report.size},
        "rows": len(rows.all),
        "objects": sorted(heads.values(), key=lambda head: str(head["object"])),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(made.items())},
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()
