"""`concordat verify FILE`: is this report, bundle or proof genuine? No Django, no database, no network.

Exit 0 good, 1 tampered, 2 cannot decide (an unknown key or certificate, another kind of file), 3 wrong use.
SECURITY: whom to trust is read from --trust or from the data folder of this machine, never from the file under test.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from governance.audits.offline import MANIFEST, verify_files
from governance.audits.signed import SIGNATURE, verify_manifest
from stewardship.documents.verify import MAX_ATTACHED, BadTrust, Outcome, Trust, Verdict, verify_pdf
from stewardship.journal.leaf import LeafError
from stewardship.journal.merkle import ProofError
from stewardship.journal.note import Forged, NoteError, NotTrusted, Verifier
from stewardship.journal.proof_file import HEADER, Proof

MAX_FILE = 512 * 1024 * 1024
MAX_MEMBERS = 100
NO_TRUST = "nothing: no --trust was given and this machine has no trust.json"


def verify(data: bytes, trust: Trust) -> Outcome:
    """Every check that fits this kind of file. Never raises."""
    if data.startswith(b"%PDF-"):
        outcome = verify_pdf(data, trust)
        outcome.facts["kind"] = "pdf"
        if MANIFEST in outcome.attachments:
            verify_files(outcome.attachments, trust, outcome)
        else:
            outcome.undecided("manifest", "The PDF carries no manifest.json, so it is no audit report.")
        return outcome
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _bundle(data, trust)
    if data.startswith(HEADER.encode()):
        return _proof(data, trust)
    outcome = Outcome()
    if _ends_like_ours(data):
        outcome.tampered("file", "It ends like a PDF or a bundle but does not begin like one: its first bytes were changed.")
    else:
        outcome.undecided("file", "This is neither a PDF, nor a bundle, nor a proof file.")
    return outcome


def _ends_like_ours(data: bytes) -> bool:
    """Whether the last bytes are those of a PDF or an archive. One changed byte at the front must not pass for another kind of file."""
    return (b"startxref" in data[-64:] and b"%%EOF" in data[-64:]) or data[-22:-18] == b"PK\x05\x06"


def _bundle(data: bytes, trust: Trust) -> Outcome:
    outcome = Outcome(facts={"kind": "bundle"})
    try:
        files = unpack(data)
    except Exception as error:  # whatever a forged archive makes the parser do, it is not a yes
        outcome.tampered("bundle", f"The archive cannot be read: {type(error).__name__}: {str(error)[:300]}")
        return outcome
    signature = files.pop(SIGNATURE, None)
    verify_manifest(files.get(MANIFEST, b""), signature, trust, outcome)
    verify_files(files, trust, outcome)
    return outcome


def unpack(data: bytes) -> dict[str, bytes]:
    """The members of an archive; raises ValueError on a path, a double name, a bomb or a lie about sizes."""
    files: dict[str, bytes] = {}
    total = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ValueError(f"it has {len(members)} members; a bundle has a handful")
        for member in members:
            name = member.filename
            if not name or "/" in name or "\\" in name or ".." in name or not name.isprintable() or name in files:
                raise ValueError(f"a member is named {name[:60]!r}")
            with archive.open(member) as file:
                content = file.read(MAX_ATTACHED - total + 1)
            total += len(content)
            if total > MAX_ATTACHED:
                raise ValueError(f"it unpacks to more than {MAX_ATTACHED} bytes")
            files[name] = content
    return files


def _proof(data: bytes, trust: Trust) -> Outcome:
    outcome = Outcome(facts={"kind": "proof"})
    try:
        document, head = Proof.read(data.decode()).verify([Verifier.parse(key) for key in trust.keys], trust.origin)
    except NotTrusted as error:
        outcome.undecided("checkpoint", f"{error} (trust: {trust.source})")
    except (Forged, NoteError, ProofError, LeafError) as error:
        outcome.tampered("proof", str(error))
    except Exception as error:  # whatever a forged file makes the parser do, it is not a yes
        outcome.tampered("proof", f"The proof cannot be read: {type(error).__name__}")
    else:
        outcome.good(
            "proof", f"Entry {document['n']} of {document['obj']} ({document['tbl']}) is in the journal of {head.origin} at {head.size}."
        )
        outcome.facts.update(origin=head.origin, size=head.size, leaf=document)
    return outcome


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(Verdict.USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code."""
    parser = _Parser(prog="concordat verify", description="Check a sealed PDF report, a bundle or a proof file, offline.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--trust", type=Path, help="JSON of `manage.py trust`, received by another way than the file")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    options = parser.parse_args(arguments)
    try:
        data = _read(options.file)
        trust = _trust(options.trust)
    except (OSError, BadTrust, NoteError) as error:
        print(f"concordat verify: {error}", file=sys.stderr)
        return Verdict.USAGE
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the parsers' own words about broken files would drown ours
    try:
        outcome = verify(data, trust)
    finally:
        logging.disable(before)
    print(
        json.dumps(_report(options.file, trust, outcome), indent=2, ensure_ascii=False)
        if options.json
        else _words(options.file, trust, outcome)
    )
    return outcome.verdict


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise OSError(f"{path} is larger than {MAX_FILE} bytes")
    return path.read_bytes()


def _trust(given: Path | None) -> Trust:
    path = given or Path(os.environ.get("VAR") or "var") / "trust.json"
    if given is None and not path.exists():
        return Trust(source=NO_TRUST)
    trust = Trust.read(path.read_bytes(), str(path))
    for key in trust.keys:
        Verifier.parse(key)
    return trust


def _report(path: Path, trust: Trust, outcome: Outcome) -> dict[str, Any]:
    return {
        "file": path.name,
        "verdict": outcome.verdict.name.lower(),
        "exit": int(outcome.verdict),
        "trust": trust.source,
        "facts": outcome.facts,
        "findings": [
            {"check": one.check, "verdict": one.verdict.name.lower(), "text": one.text, "where": dict(one.where)}
            for one in outcome.findings
        ],
    }


SIGNS = {Verdict.GOOD: "ok      ", Verdict.TAMPERED: "TAMPERED", Verdict.UNDECIDED: "unknown "}
LAST_WORD = {
    Verdict.GOOD: "Good: nothing was changed, added or left out since it was made.",
    Verdict.TAMPERED: "Tampered: do not rely on this file.",
    Verdict.UNDECIDED: "Cannot decide: what is marked unknown must be settled first.",
}


def _words(path: Path, trust: Trust, outcome: Outcome) -> str:
    lines = [f"{path.name} (trust from {trust.source})"]
    lines += [f"  {SIGNS[one.verdict]}  {one.check}: {one.text}" for one in outcome.findings]
    return "\n".join([*lines, LAST_WORD[outcome.verdict]])


if __name__ == "__main__":
    sys.exit(main())
