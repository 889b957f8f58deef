"""Check the rows, proof and manifest of a report or bundle. No Django, no database, no network.

The order is that of the claims: files as listed → signed checkpoint → each row a leaf of that tree → each object's chain from its
first entry to the head that the manifest names → the readable values that the rows only commit to.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.audits import subtree
from stewardship.documents.verify import Outcome, Trust
from stewardship.journal import leaf, merkle, note

MANIFEST = "manifest.json"
ROWS = "rows.jsonl"
OPENINGS = "openings.jsonl"
PROOF = "proof.json"
CHECKPOINT = "checkpoint.txt"
LISTED = (CHECKPOINT, OPENINGS, PROOF, ROWS)
VERSION = 1
_ROW = re.compile(r'\{"index":(0|[1-9][0-9]{0,17}),"leaf":(\{.*\})\}', re.DOTALL)


class Broken(Exception):
    """A part that cannot be what it claims; the rest cannot be checked without it."""

    def __init__(self, check: str, text: str, **where: Any) -> None:
        super().__init__(text)
        self.check, self.where = check, where


@dataclass
class Rows:
    """The rows as they were read: leaves by index, and chains of (n, index) by object."""

    leaves: dict[int, bytes] = field(default_factory=dict)
    documents: dict[int, dict[str, Any]] = field(default_factory=dict)


def verify_files(files: Mapping[str, bytes], trust: Trust, outcome: Outcome) -> None:
    """Add a finding for each claim of these files; whatever they hold, it never raises."""
    try:
        manifest = _manifest(files, outcome)
        head = _checkpoint(files, manifest, trust, outcome)
        rows = _rows(files, head, outcome)
        _inclusion(files, rows, head, outcome)
        _chains(rows, manifest, outcome)
        _openings(files, rows, outcome)
        outcome.facts.update(
            origin=head.origin, size=head.size, rows=len(rows.leaves), subject=manifest.get("subject"), as_of=manifest.get("as_of")
        )
    except Broken as error:
        outcome.tampered(error.check, str(error), **error.where)
    except Exception as error:  # whatever a forged file makes us do, it is not a yes
        outcome.tampered("files", f"The files cannot be read: {type(error).__name__}: {str(error)[:300]}")


def document(data: bytes, name: str) -> Any:
    """JSON without double names, floats, NaN or infinity; raises Broken."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Broken("files", f"{name} holds a name twice.", file=name)
        return found

    def refuse(text: str) -> Any:
        raise Broken("files", f"{name} holds the number {text[:20]}, which is not whole.", file=name)

    try:
        return json.loads(data.decode(), object_pairs_hook=unique, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Broken("files", f"{name} is not JSON.", file=name) from error


def _manifest(files: Mapping[str, bytes], outcome: Outcome) -> dict[str, Any]:
    if MANIFEST not in files:
        raise Broken("manifest", "There is no manifest.json: this is not a report, or its manifest was removed.", file=MANIFEST)
    manifest = document(files[MANIFEST], MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("v") != VERSION or not isinstance(manifest.get("files"), dict):
        raise Broken("manifest", "manifest.json is not one of version 1.", file=MANIFEST)
    listed = manifest["files"]
    whole = True
    for name in sorted({*listed, *LISTED, *files} - {MANIFEST}):
        if name not in listed:
            outcome.tampered("files", f"{name} is not listed in the manifest.", file=name)
        elif name not in files:
            outcome.tampered("files", f"{name} is listed in the manifest but is missing.", file=name)
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            outcome.tampered("files", f"{name} does not have the digest that the manifest gives.", file=name)
        else:
            continue
        whole = False
    if whole:
        outcome.good("files", f"All {len(listed)} files have the digests that the manifest gives.")
    if not set(LISTED) <= set(files):
        raise Broken("files", "Without " + ", ".join(sorted(set(LISTED) - set(files))) + " nothing can be proven.")
    return manifest


def _checkpoint(files: Mapping[str, bytes], manifest: dict[str, Any], trust: Trust, outcome: Outcome) -> note.TreeHead:
    text = files[CHECKPOINT].decode("utf-8", "replace")
    try:
        head = note.TreeHead.parse(text.partition("\n\n")[0] + "\n")
        keys = [note.Verifier.parse(one) for one in trust.keys]
        head = note.open_checkpoint(text, keys, trust.origin)
        outcome.good("checkpoint", f"The checkpoint of {head.origin} at {head.size} entries is signed by a key that {trust.source} trusts.")
    except note.NotTrusted as error:
        outcome.undecided("checkpoint", f"{error} (trust: {trust.source})", origin=head.origin, size=head.size)
    except note.NoteError as error:
        raise Broken("checkpoint", f"The checkpoint is not genuine: {error}", file=CHECKPOINT) from error
    pinned = manifest.get("as_of")
    if not isinstance(pinned, dict) or pinned.get("size") != head.size or manifest.get("origin") != head.origin:
        raise Broken("checkpoint", "The manifest was made for another checkpoint.", file=MANIFEST)
    return head


def _rows(files: Mapping[str, bytes], head: note.TreeHead, outcome: Outcome) -> Rows:
    rows = Rows()
    before = -1
    for number, line in enumerate(_lines(files[ROWS], ROWS), start=1):
        found = _ROW.fullmatch(line)
        if found is None:
            raise Broken("rows", f"Line {number} of {ROWS} is not a row.", file=ROWS, line=number)
        index, payload = int(found[1]), found[2].encode()
        try:
            one = leaf.parse(payload)
        except leaf.LeafError as error:
            raise Broken("rows", f"Row {index} (line {number}) is not a leaf: {error}", file=ROWS, line=number, index=index) from error
        if index <= before:
            raise Broken("rows", f"Row {index} (line {number}) is out of order or stands twice.", file=ROWS, line=number, index=index)
        if one["log"] != head.origin:
            outcome.tampered("rows", f"Row {index} is of the journal {one['log']}.", index=index)
        before = index
        rows.leaves[index] = merkle.leaf_hash(payload)
        rows.documents[index] = one
    return rows


def _lines(data: bytes, name: str) -> list[str]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Broken("files", f"{name} is not UTF-8.", file=name) from error
    if text and not text.endswith("\n"):
        raise Broken("files", f"The last line of {name} is cut off.", file=name)
    return text.split("\n")[:-1]


def _inclusion(files: Mapping[str, bytes], rows: Rows, head: note.TreeHead, outcome: Outcome) -> None:
    proof = document(files[PROOF], PROOF)
    if not isinstance(proof, dict) or proof.get("size") != head.size or not isinstance(proof.get("nodes"), dict):
        raise Broken("inclusion", "The proof is not one for this checkpoint.", file=PROOF)
    try:
        found = subtree.root(head.size, rows.leaves, proof["nodes"])
    except merkle.ProofError as error:
        raise Broken("inclusion", f"{error} A row or its proof was removed or changed.", file=PROOF) from error
    if found != head.root:
        raise Broken("inclusion", "The rows do not lead to the root of the checkpoint: at least one of them was changed.", file=ROWS)
    outcome.good("inclusion", f"All {len(rows.leaves)} rows are entries of the journal at {head.size}.")


def _chains(rows: Rows, manifest: dict[str, Any], outcome: Outcome) -> None:
    objects = manifest.get("objects")
    if not isinstance(objects, list) or not all(isinstance(one, dict) and isinstance(one.get("object"), str) for one in objects):
        raise Broken("completeness", "The manifest does not say of which objects the rows are.", file=MANIFEST)
    claimed = {one["object"]: one for one in objects}
    if len(claimed) != len(objects):
        raise Broken("completeness", "The manifest names an object twice.", file=MANIFEST)
    chains: dict[str, list[int]] = defaultdict(list)
    for index, one in rows.documents.items():  # ascending index is ascending n, or the chain is broken
        chains[str(one["obj"])].append(index)
    whole = True
    for name in sorted({*claimed, *chains}):
        problem = _chain_problem(chains.get(name, []), claimed.get(name), rows)
        if problem:
            whole = False
            label = claimed.get(name, {}).get("label", "")
            outcome.tampered("completeness", f"{label or 'Object'} {name}: {problem}", object=name)
    if whole:
        outcome.good(
            "completeness", f"Each of the {len(claimed)} objects is here from its first entry to the head that the manifest names."
        )


def _chain_problem(chain: list[int], claim: dict[str, Any] | None, rows: Rows) -> str:
    if claim is None:
        return "it has rows, but the manifest does not name it."
    if not chain:
        return "the manifest names it, but no row of it is here."
    before = ""
    for place, index in enumerate(chain, start=1):
        one = rows.documents[index]
        if one["n"] != place:
            return f"entry {place} of it is missing; row {index} is its entry {one['n']}."
        if one["prev"] != before:
            return f"row {index} does not follow the row before it."
        before = rows.leaves[index].hex()
    if claim.get("count") != len(chain):
        return f"the manifest names {claim.get('count')} entries, {len(chain)} are here."
    if claim.get("head") != before:
        return "its last row is not the head that the manifest names."
    return ""


def _openings(files: Mapping[str, bytes], rows: Rows, outcome: Outcome) -> None:
    opened = 0
    for number, line in enumerate(_lines(files[OPENINGS], OPENINGS), start=1):
        one = document(line.encode(), OPENINGS)
        index, name = (one.get("index"), one.get("field")) if isinstance(one, dict) else (None, None)
        held = rows.documents.get(index, {}).get("f", {}).get(name) if isinstance(index, int) and isinstance(name, str) else None
        if not isinstance(held, dict) or not _opens(held, one):
            outcome.tampered(
                "values",
                f"The value of {name} given for row {index} is not the one that the row commits to.",
                index=index,
                field=name,
                line=number,
            )
        else:
            opened += 1
    if opened:
        outcome.good("values", f"{opened} longer or protected values are the ones that their rows commit to.")


def _opens(held: dict[str, Any], one: dict[str, Any]) -> bool:
    value = one.get("value")
    if "c" in held:
        try:
            salt = base64.b64decode(str(one.get("salt")), validate=True)
        except (ValueError, binascii.Error):
            return False
        return leaf.commitment(salt, value) == held  # whatever it is, only the right value hashes right
    if not isinstance(value, str):
        return False
    raw = value.encode("utf-8", "surrogatepass")
    return held == {"h": hashlib.sha256(raw).hexdigest(), "len": len(raw)}
