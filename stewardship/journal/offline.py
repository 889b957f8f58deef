"""Checks evidence on any machine: no database, no network, no Django; the standard library and `cryptography` only.

Trust comes from the caller (a key or a file of keys), never from inside the file that is checked.

    python -m stewardship.journal.offline FILE --key concordat.example+1a2b3c4d+AQ…
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from stewardship.journal import leaf
from stewardship.journal.leaf import LeafError
from stewardship.journal.merkle import ProofError
from stewardship.journal.note import NoteError, NotTrusted, TreeHead, Verifier
from stewardship.journal.proof_file import LARGEST, Proof

GOOD, TAMPERED, UNDECIDED, USAGE = 0, 1, 2, 3
_HEAD: Final = {"table": "tbl", "record": "hid", "object": "obj", "op": "op", "at": "at", "actor": "actor"}


@dataclass(frozen=True)
class Outcome:
    """0 good, 1 tampered, 2 cannot decide; in words; and what was proven."""

    code: int
    text: str
    leaf: dict[str, Any] = field(default_factory=dict)
    head: TreeHead | None = None
    problems: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        found: dict[str, Any] = {
            "outcome": ("good", "tampered", "undecided")[self.code],
            "text": self.text,
            "problems": list(self.problems),
        }
        if self.head:
            found |= {"log": self.head.origin, "size": self.head.size, "root": self.head.root.hex(), "leaf": self.leaf}
        return found


def read_trust(text: str) -> list[Verifier]:
    """Public keys: those of a `trust.json`, or one a line (blank lines and # are skipped). Raises NoteError."""
    if text.lstrip().startswith("{"):
        return _keys_of(text)
    lines = (line.strip() for line in text.splitlines())
    return [Verifier.parse(line) for line in lines if line and not line.startswith("#")]


def _keys_of(text: str) -> list[Verifier]:
    try:
        keys = json.loads(text)["keys"]
        return [Verifier.parse(str(key)) for key in keys]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NoteError('A trust file has the form {"origin": text, "keys": [text]}.') from error


def verify_proof(text: str, keys: Iterable[Verifier], origin: str = "") -> Outcome:
    """What a proof file proves; never raises on bad input."""
    try:
        document, head = Proof.read(text).verify(keys, origin)
    except NotTrusted as error:
        return Outcome(UNDECIDED, str(error))
    except (NoteError, ProofError, LeafError) as error:
        return Outcome(TAMPERED, str(error), problems=(str(error),))
    name = f"{document['tbl']} {document['hid']}"
    return Outcome(GOOD, f"{name} is entry of {head.origin}, whose journal held {head.size} entries.", document, head)


def check_evidence(evidence: Mapping[str, Any], keys: Iterable[Verifier], origin: str = "") -> Outcome:
    """Whether an exported row is the one that its proof proves; names each value that is not. Never raises on bad input."""
    try:
        proof, values, salts = evidence["proof"], evidence["values"], evidence["salts"]
        outcome = verify_proof(proof, keys, origin)
        if outcome.code:
            return outcome
        problems = [f"{outer} is not what was written" for outer, inner in _HEAD.items() if evidence[outer] != outcome.leaf[inner]]
        problems += _different(outcome.leaf["f"], values, {name: base64.b64decode(salt, validate=True) for name, salt in salts.items()})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return Outcome(TAMPERED, "This is no exported row.", problems=(f"{type(error).__name__}: {error}",))
    if problems:
        name = f"{evidence['table']} {evidence['record']}"
        return Outcome(TAMPERED, f"{name}: {problems[0]}.", outcome.leaf, outcome.head, tuple(problems))
    return outcome


def _different(written: Mapping[str, Any], values: Mapping[str, Any], salts: Mapping[str, bytes]) -> list[str]:
    problems = []
    for name in sorted(set(written) | set(values)):
        if name not in values or name not in written:
            problems.append(f"{name} was added or left out")
            continue
        held, value = written[name], values[name]
        if not (value is None or isinstance(value, bool | int | str)):
            problems.append(f"{name} is no value of a leaf")
        elif isinstance(held, dict) and "c" in held:
            if name not in salts:
                problems.append(f"{name} has no salt to compare with")
            elif leaf.commitment(salts[name], value) != held:
                problems.append(f"{name} is not what was written")
        elif not any(leaf.canonical(leaf.short(value, limit)) == leaf.canonical(held) for limit in (leaf.WIDE, leaf.NARROW)):
            problems.append(f"{name} is not what was written")
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Verify one proof file; the exit code is the outcome."""
    parser = argparse.ArgumentParser(
        prog="offline", description="Verify a journal proof without a database or a network.", exit_on_error=False
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", action="append", default=[], help="a public key you trust (name+hash+base64)")
    parser.add_argument("--trust", type=Path, help="trust.json, or a file of public keys, one a line")
    parser.add_argument("--json", action="store_true")
    try:
        options = parser.parse_args(arguments)
        keys = [Verifier.parse(text) for text in options.key]
        if options.trust:
            keys += read_trust(options.trust.read_text(encoding="utf-8"))
        with open(options.file, "rb") as file:
            data = file.read(4 * LARGEST + 1)
    except (argparse.ArgumentError, OSError, NoteError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return USAGE
    except SystemExit as stop:  # --help, or an argument missing
        return USAGE if stop.code else GOOD
    try:
        outcome = verify_proof(data.decode(), keys)
    except UnicodeDecodeError:
        outcome = Outcome(TAMPERED, "This is not a proof file.")
    print(json.dumps(outcome.document(), indent=2) if options.json else outcome.text)
    return outcome.code


if __name__ == "__main__":
    sys.exit(main())
