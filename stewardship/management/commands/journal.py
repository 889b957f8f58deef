"""The journal from the command line. Exit: 0 good, 1 tampered, 2 cannot decide, 3 usage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser

from config.portal.errors import DomainError
from stewardship.journal.acting import SYSTEM
from stewardship.journal.errors import UnknownRecord
from stewardship.journal.findings import GOOD, TAMPERED, UNDECIDED, USAGE
from stewardship.journal.guards import check_guards, guards_removable, install_guards
from stewardship.journal.keys import retire, rotate, verifiers
from stewardship.journal.models import note_event
from stewardship.journal.note import NoteError
from stewardship.journal.offline import read_trust
from stewardship.journal.proof import Prover
from stewardship.journal.publish import latest
from stewardship.journal.save import save
from stewardship.journal.sequence import settle
from stewardship.journal.snapshot import printable
from stewardship.journal.tables import shapes
from stewardship.journal.verify import verify_database


class Command(BaseCommand):
    help = "Sequence, verify, save and prove the journal."
    requires_system_checks: list[str] = []  # verification must run on a database that a check would complain about

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("sequence", help="turn waiting rows into entries and sign them")
        verify = verbs.add_parser("verify", help="compare every row with its leaf, and the leaves with the signed tree")
        verify.add_argument("--against", type=Path, help="a folder made by `journal save`, or a checkpoint file")
        verify.add_argument("--trust", type=Path, help="trust.json, or a file of public keys, instead of this installation's key folder")
        verify.add_argument("--json", action="store_true")
        keep = verbs.add_parser("save", help="write the tree and its checkpoint to a folder, for a later --against")
        keep.add_argument("folder", type=Path)
        verbs.add_parser("checkpoint", help="print the newest signed checkpoint")
        proof = verbs.add_parser("proof", help="print the proof of one row")
        proof.add_argument("label", help="app.model or table")
        proof.add_argument("pk", help="for a noun its id (its latest revision); for a fact or a table the row's key")
        keys = verbs.add_parser("keys", help="print the public keys")
        keys.add_argument("--rotate", action="store_true", help="begin to sign with a new key beside the old one")
        keys.add_argument("--retire", metavar="KEY_ID", help="stop signing with a key")
        guards = verbs.add_parser("guards", help="say what is wrong with the database's guards")
        guards.add_argument("--install", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = getattr(self, f"_{options['verb']}")(options)
        except DomainError as error:
            self.stderr.write(f"{error.message} {error.remedy}".strip())
            code = USAGE if isinstance(error, UnknownRecord) else UNDECIDED
        if code != GOOD:
            sys.exit(code)

    def _sequence(self, options: dict[str, Any]) -> int:
        self.stdout.write(f"{settle()} entries")
        return GOOD

    def _verify(self, options: dict[str, Any]) -> int:
        against: Path | None = options["against"]
        text = None
        try:
            trusted = read_trust(options["trust"].read_text(encoding="utf-8")) if options["trust"] else None
            if against is not None and not against.is_dir():
                text, against = against.read_text(encoding="utf-8"), None
        except (OSError, UnicodeDecodeError, NoteError) as error:
            self.stderr.write(f"That file cannot be read: {error}")
            return USAGE
        report = verify_database(checkpoint_text=text, saved=against, trusted=trusted)
        if options["json"]:
            self.stdout.write(json.dumps(report.document(), indent=2))
            return report.code
        for problem in report.problems:
            self.stdout.write(str(problem))
        for reason in report.undecided:
            self.stdout.write(printable(f"undecided: {reason}"))
        for column, count in sorted(report.incomparable.items()):
            self.stdout.write(f"not compared: {count} values of {column}, which were written before the column was altered")
        good = (
            f"everything but {report.uncheckable} values is as it was written" if report.incomparable else "everything is as it was written"
        )
        outcome = {GOOD: good, TAMPERED: f"{len(report.problems) + report.more} problems"}
        self.stdout.write(
            f"{report.entries} entries, {report.rows} rows, {report.waiting} waiting, signed up to {report.published}: "
            + outcome.get(report.code, "cannot decide")
        )
        return report.code

    def _save(self, options: dict[str, Any]) -> int:
        self.stdout.write(f"Saved {save(options['folder'])} entries in {options['folder']}.")
        return GOOD

    def _checkpoint(self, options: dict[str, Any]) -> int:
        newest = latest()
        if newest is None:
            self.stderr.write("No checkpoint is signed yet.")
            return UNDECIDED
        self.stdout.write(newest.note, ending="")
        return GOOD

    def _proof(self, options: dict[str, Any]) -> int:
        table, record = find_row(options["label"], options["pk"])
        self.stdout.write(Prover().proof(table, record).write(), ending="")
        return GOOD

    def _keys(self, options: dict[str, Any]) -> int:
        if options["rotate"]:
            rotate(actor=SYSTEM)
        if options["retire"]:
            retire(options["retire"], actor=SYSTEM)
        for key in verifiers():
            self.stdout.write(str(key))
        return GOOD

    def _guards(self, options: dict[str, Any]) -> int:
        problems = install_guards() if options["install"] else check_guards()
        for text in problems:
            self.stdout.write(text)
        if options["install"]:
            if problems:
                note_event("journal.guards.installed", {"guards": len(problems), "problems": problems[:50]}, actor=SYSTEM)
            self.stdout.write(f"{len(problems)} guards were put right.")
            return GOOD
        self.stdout.write(
            "The portal's own database account could remove them." if guards_removable() else "Only the owner could remove them."
        )
        return TAMPERED if problems else GOOD


def find_row(label: str, pk: str) -> tuple[str, str]:
    """(table, record) of what a person names: a table and key, a fact and its id, or a noun, meaning its latest revision."""
    for shape in shapes():
        if shape.table == label:
            return label, pk
        if shape.noun._meta.label_lower == label.lower():
            if shape.kind == "fact":
                return shape.table, pk
            rows: Any = shape.model._base_manager.filter(**{shape.object_field.attname: pk}) if _is_uuid(pk) else None
            newest = rows.order_by("-history_id").first() if rows is not None else None
            if newest is not None:
                return shape.table, str(newest.pk)
    known = label in {model._meta.label_lower for model in apps.get_models()}
    raise UnknownRecord(f"There is no {pk} in {label}." if known else f"{label} is nothing governed.", field="pk")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
