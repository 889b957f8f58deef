"""What a forger may do to a report or a bundle, and that none of it passes. Needs no database after the report is made."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from governance.audits import signed, verify_cli
from governance.audits.offline import CHECKPOINT, MANIFEST, OPENINGS, PROOF, ROWS
from governance.audits.verify_cli import verify
from stewardship.documents import seal
from stewardship.documents.verify import Outcome, Trust, Verdict
from stewardship.journal import merkle
from stewardship.journal.note import Signer
from tests.governance.audit_case import Sealed, make_sealed, zipped

pytestmark = pytest.mark.django_db  # for the fixture that makes the report; nothing else reads a row
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def made(folders: Path, django_db_setup: None, django_db_blocker: Any) -> Sealed:
    """Built inside one transaction that is rolled back; afterwards only bytes remain."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    there = override_settings(
        KEY_FOLDER=folders / "keys", JOURNAL_FOLDER=folders / "journal", MEDIA_ROOT=folders / "blobs", PASSWORD_HASHERS=hashers
    )
    with django_db_blocker.unblock(), there:
        atomic = transaction.atomic()
        atomic._from_testcase = True  # type: ignore[attr-defined]  # what TestCase sets: sequencing is durable otherwise
        with atomic:
            sealed = make_sealed()
            transaction.set_rollback(True)
    return sealed


@pytest.fixture(autouse=True)
def _the_same_keys(settings: Any, folders: Path) -> None:
    settings.KEY_FOLDER = folders / "keys"


def failed(outcome: Outcome) -> set[str]:
    return {one.check for one in outcome.findings if one.verdict == Verdict.TAMPERED}


def with_digests(files: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    """The files with a manifest that fits them again, as a careful forger would write it."""
    manifest = json.loads(files[MANIFEST]) | changes
    manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != MANIFEST}
    return {**files, MANIFEST: json.dumps(manifest).encode()}


def bundle_of(files: dict[str, bytes]) -> bytes:
    """A bundle signed by the seal in force."""
    return zipped({**files, signed.SIGNATURE: signed.write(seal.sign_manifest(files[MANIFEST]), signed.der(seal.certificate()))})


def rows_of(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[ROWS].decode().splitlines()]


def without_row(files: dict[str, bytes], index: int, *, consistent: bool) -> dict[str, bytes]:
    """One row away together with its proof; `consistent` writes the manifest anew, as if it had never been."""
    rows = [line for line in files[ROWS].decode().splitlines() if json.loads(line)["index"] != index]
    gone = next(line for line in files[ROWS].decode().splitlines() if json.loads(line)["index"] == index)
    payload = gone[gone.index('"leaf":') + 7 : -1].encode()
    proof = json.loads(files[PROOF])
    proof["nodes"] = regrown(proof["nodes"], proof["size"], files, index, payload)
    openings = b"".join(line + b"\n" for line in files[OPENINGS].splitlines() if json.loads(line)["index"] != index)
    changed = {**files, ROWS: "".join(f"{row}\n" for row in rows).encode(), PROOF: json.dumps(proof).encode(), OPENINGS: openings}
    if not consistent:
        return with_digests(changed)
    heads: dict[str, dict[str, Any]] = {}
    for line in rows:
        leaf = line[line.index('"leaf":') + 7 : -1].encode()
        head = heads.setdefault(json.loads(leaf)["obj"], {"object": json.loads(leaf)["obj"], "label": "", "count": 0})
        head["count"] += 1
        head["head"] = merkle.leaf_hash(leaf).hex()
    return with_digests(changed, objects=list(heads.values()), rows=len(rows))


def regrown(nodes: dict[str, str], size: int, files: dict[str, bytes], index: int, payload: bytes) -> dict[str, str]:
    """The proof for all other rows: the missing row's hash becomes one of its spans, merged upwards as the rules ask."""
    held = sorted(row["index"] for row in rows_of(files) if row["index"] != index)
    leaves = {
        json.loads(line)["index"]: merkle.leaf_hash(line[line.index('"leaf":') + 7 : -1].encode())
        for line in files[ROWS].decode().splitlines()
    }
    made: dict[str, str] = {}

    def root(first: int, last: int) -> bytes:
        if last - first == 1 and first in leaves:
            return leaves[first]
        name = f"{first}-{last}"
        if name in nodes:
            return base64.b64decode(nodes[name])
        middle = first + merkle.split_point(last - first)
        return merkle.node_hash(root(first, middle), root(middle, last))

    def walk(first: int, last: int) -> None:
        if not any(first <= one < last for one in held):
            made[f"{first}-{last}"] = base64.b64encode(root(first, last)).decode()
        elif last - first > 1:
            middle = first + merkle.split_point(last - first)
            walk(first, middle)
            walk(middle, last)

    walk(0, size)
    return made


def inner_row(files: dict[str, bytes]) -> int:
    """The index of a row that is not the last of its object."""
    rows = rows_of(files)
    last = {row["leaf"]["obj"]: row["index"] for row in rows}
    return int(next(row["index"] for row in rows if row["index"] != last[row["leaf"]["obj"]]))


# --- good -----------------------------------------------------------------------------------------


def test_the_report_and_the_bundle_are_good(made: Sealed) -> None:
    assert list(verify(made.pdf, made.trust).bad()) == []
    assert list(verify(made.bundle, made.trust).bad()) == []
    assert verify(made.pdf, made.trust).facts["rows"] == len(rows_of(made.files)) > 20


def test_bundle_and_pdf_hold_the_same_files(made: Sealed) -> None:
    files = verify_cli.unpack(made.bundle)
    assert files.pop(signed.SIGNATURE)
    assert files == made.files == verify(made.pdf, made.trust).attachments


# --- nobody vouched -------------------------------------------------------------------------------


def test_without_trust_nothing_is_decided(made: Sealed) -> None:
    for data in (made.pdf, made.bundle):
        outcome = verify(data, Trust())
        assert outcome.verdict == Verdict.UNDECIDED
        assert {one.check for one in outcome.bad()} <= {"seal", "seal certificate", "checkpoint"}


def test_a_report_sealed_by_somebody_else_is_not_decided(made: Sealed, settings: Any, tmp_path: Path) -> None:
    settings.KEY_FOLDER = tmp_path
    assert verify(seal.seal(made.plain), made.trust).verdict == Verdict.UNDECIDED
    assert verify(bundle_of(made.files), made.trust).verdict == Verdict.UNDECIDED


# --- changed --------------------------------------------------------------------------------------


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


def test_one_changed_byte_is_refused(made: Sealed) -> None:
    """Head, tail and the seal (which no byte range covers) densely, the rest evenly; many more at random below."""
    whole = len(made.pdf)
    start = made.pdf.rindex(b"/Contents <")
    end = made.pdf.index(b">", start)
    places = {*range(24), *range(0, whole, whole // 150), *range(start - 40, end, 29), *range(end - 2, end + 2), *range(whole - 48, whole)}
    for turn, place in enumerate(sorted(places)):
        bit = (1, 0x20, 0x80)[turn % 3]
        assert verify(flipped(made.pdf, place, bit), made.trust).verdict == Verdict.TAMPERED, (place, bit)


@given(data=st.data(), byte=st.integers(1, 255))
def test_any_changed_byte_is_refused(made: Sealed, data: st.DataObject, byte: int) -> None:
    place = data.draw(st.integers(0, len(made.pdf) - 1))
    assert verify(flipped(made.pdf, place, byte), made.trust).verdict == Verdict.TAMPERED


@pytest.mark.parametrize("kind", ["pdf", "bundle"])
def test_first_bytes_that_hide_what_it_is_are_refused(made: Sealed, kind: str) -> None:
    data: bytes = getattr(made, kind)
    for place in range(5 if kind == "pdf" else 4):
        outcome = verify(flipped(data, place, 1), made.trust)
        assert outcome.verdict == Verdict.TAMPERED
        assert "does not begin like one" in outcome.findings[0].text
    assert verify(b"\n" + data, made.trust).verdict == Verdict.TAMPERED


def test_a_stripped_seal_is_refused(made: Sealed) -> None:
    assert "seal" in failed(verify(made.plain, made.trust))


def test_a_forged_incremental_update_is_refused(made: Sealed) -> None:
    from pyhanko.pdf_utils import embed
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(BytesIO(made.pdf))
    forged = embed.EmbeddedFileObject.from_file_data(writer, made.files[ROWS][:-200], compress=False)
    embed.embed_file(writer, embed.FileSpec("more.jsonl", file_name="more.jsonl", embedded_data=forged))
    out = BytesIO()
    writer.write(out)
    assert verify(out.getvalue(), made.trust).verdict == Verdict.TAMPERED


@pytest.mark.parametrize("consistent", [False, True], ids=["manifest kept", "manifest recomputed"])
def test_a_row_deleted_with_its_proof_is_refused_even_when_sealed_again(made: Sealed, consistent: bool) -> None:
    """A row inside a chain: even whoever has the seal's key cannot leave it out."""
    files = without_row(made.files, inner_row(made.files), consistent=consistent)
    for data in (made.resealed(files), bundle_of(files)):
        assert failed(verify(data, made.trust)) == {"completeness"}


def test_the_last_row_of_an_object_cannot_be_left_out_by_anybody_without_the_seal(made: Sealed, settings: Any, tmp_path: Path) -> None:
    last = rows_of(made.files)[-1]["index"]
    kept = without_row(made.files, last, consistent=False)
    assert failed(verify(bundle_of(kept), made.trust)) == {"completeness"}
    rewritten = without_row(made.files, last, consistent=True)
    settings.KEY_FOLDER = tmp_path
    for data in (made.resealed(rewritten), bundle_of(rewritten)):
        assert verify(data, made.trust).verdict == Verdict.UNDECIDED


def test_a_row_deleted_and_its_proof_kept_is_refused(made: Sealed) -> None:
    lines = made.files[ROWS].splitlines(keepends=True)
    files = with_digests({**made.files, ROWS: b"".join(lines[:3] + lines[4:])})
    assert "inclusion" in failed(verify(bundle_of(files), made.trust))


FORGERIES: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "a word in a row": (lambda f: {**f, ROWS: f[ROWS].replace(b'"tbl"', b'"tbm"', 1)}, "rows"),
    "a value in a row": (lambda f: {**f, ROWS: f[ROWS].replace(b'"label":"1.0.0"', b'"label":"1.0.9"', 1)}, "inclusion"),
    "two rows swapped": (
        lambda f: {**f, ROWS: b"".join([*f[ROWS].splitlines(True)[1:2], *f[ROWS].splitlines(True)[:1], *f[ROWS].splitlines(True)[2:]])},
        "rows",
    ),
    "a row twice": (lambda f: {**f, ROWS: f[ROWS].splitlines(True)[0] + f[ROWS]}, "rows"),
    "the last line cut": (lambda f: {**f, ROWS: f[ROWS][:-1]}, "files"),
    "rows that are no text": (lambda f: {**f, ROWS: b"\xff\n"}, "files"),
    "an opening": (lambda f: {**f, OPENINGS: f[OPENINGS].replace(b"Decides about", b"Decides abput", 1)}, "values"),
    "an opening of nothing": (lambda f: {**f, OPENINGS: b'{"index":1,"field":"x","value":"y"}\n'}, "values"),
    "an opening that is a list": (lambda f: {**f, OPENINGS: b"[]\n"}, "values"),
    "a salt that is none": (lambda f: {**f, OPENINGS: f[OPENINGS].replace(b'"salt":"', b'"salt":"!', 1)}, "values"),
    "the proof's size": (lambda f: {**f, PROOF: f[PROOF].replace(b'"size": ', b'"size": 1', 1)}, "inclusion"),
    "a span": (
        lambda f: {**f, PROOF: json.dumps(json.loads(f[PROOF]) | {"nodes": {**json.loads(f[PROOF])["nodes"], "0-0": "AA=="}}).encode()},
        "inclusion",
    ),
    "no span": (lambda f: {**f, PROOF: json.dumps({"size": json.loads(f[PROOF])["size"], "nodes": {}}).encode()}, "inclusion"),
    "a proof with a float": (lambda f: {**f, PROOF: b'{"size": 1.5}'}, "files"),
    "a proof with a name twice": (lambda f: {**f, PROOF: b'{"size": 1, "size": 2}'}, "files"),
    "the checkpoint's size": (lambda f: {**f, CHECKPOINT: f[CHECKPOINT].replace(b"\n", b"\n1", 1)}, "checkpoint"),
    "a checkpoint that is none": (lambda f: {**f, CHECKPOINT: b"hello"}, "checkpoint"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_each_forgery_is_named_even_with_fitting_digests_and_signature(made: Sealed, name: str) -> None:
    change, check = FORGERIES[name]
    files = with_digests(change(dict(made.files)))
    assert files != made.files
    assert check in failed(verify(bundle_of(files), made.trust))


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "an object less": (lambda m: m | {"objects": m["objects"][1:]}, "completeness"),
    "an object more": (lambda m: m | {"objects": [*m["objects"], {"object": "x", "count": 0, "head": ""}]}, "completeness"),
    "an object twice": (lambda m: m | {"objects": [*m["objects"], m["objects"][0]]}, "completeness"),
    "another head": (lambda m: m | {"objects": [m["objects"][0] | {"head": "0" * 64}, *m["objects"][1:]]}, "completeness"),
    "another count": (lambda m: m | {"objects": [m["objects"][0] | {"count": 99}, *m["objects"][1:]]}, "completeness"),
    "objects that are none": (lambda m: m | {"objects": ["x"]}, "completeness"),
    "another version": (lambda m: m | {"v": 2}, "manifest"),
    "another size": (lambda m: m | {"as_of": {"size": 1}}, "checkpoint"),
    "another origin": (lambda m: m | {"origin": "elsewhere"}, "checkpoint"),
    "a file less": (lambda m: m | {"files": {k: v for k, v in m["files"].items() if k != ROWS}}, "files"),
    "a file more": (lambda m: m | {"files": m["files"] | {"more.txt": "0" * 64}}, "files"),
    "another digest": (lambda m: m | {"files": m["files"] | {ROWS: "0" * 64}}, "files"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_each_edit_of_a_manifest_is_named_even_when_signed_again(made: Sealed, name: str) -> None:
    change, check = MANIFESTS[name]
    files = {**made.files, MANIFEST: json.dumps(change(json.loads(made.files[MANIFEST]))).encode()}
    assert check in failed(verify(bundle_of(files), made.trust))


def test_an_edited_manifest_does_not_fit_its_signature(made: Sealed) -> None:
    files = verify_cli.unpack(made.bundle)
    files[MANIFEST] = files[MANIFEST].replace(b'"rows"', b'"rowz"', 1)
    assert "seal" in failed(verify(zipped(files), made.trust))


@pytest.mark.parametrize("signature", [None, b"", b"{}", b"[]", b'{"certificate": "AA==", "signature": "AA=="}'])
def test_a_bundle_without_a_signature_is_refused(made: Sealed, signature: bytes | None) -> None:
    files = dict(made.files) if signature is None else {**made.files, signed.SIGNATURE: signature}
    assert "seal" in failed(verify(zipped(files), made.trust))


def test_a_bundle_signed_by_another_kind_of_key_is_refused(made: Sealed) -> None:
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    text = signed.write("AA==", signed.der(builder.sign(key, None)))
    assert "seal" in failed(verify(zipped({**made.files, signed.SIGNATURE: text}), made.trust))


def test_a_checkpoint_signed_by_another_key_in_the_same_name_is_not_decided(made: Sealed) -> None:
    text = made.files[CHECKPOINT].decode().partition("\n\n")[0] + "\n"
    origin = text.split("\n")[0]
    note = text + "\n" + Signer(origin, os.urandom(32)).line(text.encode())
    outcome = verify(bundle_of(with_digests({**made.files, CHECKPOINT: note.encode()})), made.trust)
    assert outcome.verdict == Verdict.UNDECIDED


def test_a_pdf_with_a_trusted_seal_but_no_rows_is_not_a_report(made: Sealed) -> None:
    assert verify(made.resealed({"other.txt": b"x"}), made.trust).verdict == Verdict.UNDECIDED


# --- hostile archives and garbage -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/b", "a\\b", "..", "a\nb"])
def test_paths_in_an_archive_are_refused(made: Sealed, name: str) -> None:
    assert failed(verify(zipped({**made.files, name: b"x"}), made.trust)) == {"bundle"}


def test_a_member_twice_and_too_many_members_are_refused(made: Sealed) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(ROWS, b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(ROWS, b"2")
    assert failed(verify(out.getvalue(), made.trust)) == {"bundle"}
    assert failed(verify(zipped({str(number): b"" for number in range(200)}), made.trust)) == {"bundle"}


def test_a_zip_bomb_is_refused_before_it_fills_the_memory(made: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_cli, "MAX_ATTACHED", 1_000_000)
    outcome = verify(zipped({ROWS: b"\0" * 30_000_000}), made.trust)
    assert failed(outcome) == {"bundle"}
    assert "unpacks to more" in outcome.findings[0].text


def test_an_archive_cut_short_is_refused(made: Sealed) -> None:
    for length in range(4, len(made.bundle), len(made.bundle) // 25):
        assert verify(made.bundle[:length], made.trust).verdict == Verdict.TAMPERED


@given(st.binary(max_size=300), st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04", b"PK\x05\x06", b"c2sp.org/tlog-proof@v1\n"]))
def test_garbage_is_never_good(data: bytes, head: bytes) -> None:
    assert verify(head + data, Trust()).verdict in {Verdict.TAMPERED, Verdict.UNDECIDED}


@given(data=st.data())
def test_any_few_changed_bytes_of_a_bundle_are_never_good(made: Sealed, data: st.DataObject) -> None:
    files = dict(made.files)
    name = data.draw(st.sampled_from(sorted(files)))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    byte = data.draw(st.integers(1, 255))
    files[name] = files[name][:place] + bytes([files[name][place] ^ byte]) + files[name][place + 1 :]
    signature = verify_cli.unpack(made.bundle)[signed.SIGNATURE]
    assert verify(zipped({**files, signed.SIGNATURE: signature}), made.trust).verdict == Verdict.TAMPERED


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_document_in_place_of_another_is_never_good(made: Sealed, value: Any) -> None:
    for name in (MANIFEST, PROOF):
        files = {**made.files, name: json.dumps(value).encode()}
        assert verify(bundle_of(files if name == MANIFEST else with_digests(files)), made.trust).verdict != Verdict.GOOD


# --- the command ----------------------------------------------------------------------------------


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process without settings, database or network."""
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-m", "governance.audits.verify_cli", *map(str, arguments)],
        env=bare,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


@pytest.fixture
def trust_file(made: Sealed, tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_text(
        json.dumps({"origin": made.trust.origin, "keys": list(made.trust.keys), "seal_certificates": sorted(made.trust.seal_certificates)})
    )
    return path


@pytest.mark.process
def test_the_command_answers_with_its_exit_code_and_names_what_failed(made: Sealed, tmp_path: Path, trust_file: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(made.pdf)
    assert run(report, "--trust", trust_file).returncode == 0
    assert run(report, VAR=str(tmp_path)).returncode == 0  # $VAR/trust.json
    unknown = run(report, VAR=str(tmp_path / "nowhere"))
    assert unknown.returncode == 2
    assert "no --trust was given" in unknown.stdout
    report.write_bytes(made.plain)
    stripped = run(report, "--trust", trust_file, "--json")
    assert stripped.returncode == 1
    said = json.loads(stripped.stdout)
    assert said["verdict"] == "tampered"
    assert any(one["check"] == "seal" and one["verdict"] == "tampered" for one in said["findings"])


@pytest.mark.process
@pytest.mark.parametrize("asked", [("report.pdf", "--trust", "trust.json"), ("--json", "--trust=./trust.json", "report.pdf")])
def test_the_command_finds_its_files_where_its_user_stands(made: Sealed, tmp_path: Path, trust_file: Path, asked: tuple[str, ...]) -> None:
    (tmp_path / "report.pdf").write_bytes(made.pdf)
    # SECURITY: what lies beside a report is never run.
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the folder of the report')")
    (tmp_path / "governance").mkdir()
    (tmp_path / "governance" / "__init__.py").write_text("raise SystemExit('imported from the folder of the report')")
    bare = {"PATH": os.environ["PATH"], "VAR": str(tmp_path / "nowhere")}
    done = subprocess.run([ROOT / "concordat", "verify", *asked], env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.process
def test_the_command_loads_neither_django_nor_a_database(made: Sealed, tmp_path: Path, trust_file: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(made.pdf)
    code = (
        "import sys; from governance.audits.verify_cli import main; main(sys.argv[1:]); "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'sqlite3', 'psycopg')])"
    )
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(report), "--trust", str(trust_file)], env=bare, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_wrong_use_is_three(made: Sealed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    report, bad = tmp_path / "report.pdf", tmp_path / "bad.json"
    report.write_bytes(made.pdf)
    bad.write_text("{")
    assert verify_cli.main([str(tmp_path / "absent.pdf")]) == 3
    assert verify_cli.main([str(report), "--trust", str(bad)]) == 3
    assert verify_cli.main([str(report), "--trust", str(tmp_path / "absent.json")]) == 3
    bad.write_text('{"keys": ["not a key"]}')
    assert verify_cli.main([str(report), "--trust", str(bad)]) == 3
    monkeypatch.setattr(verify_cli, "MAX_FILE", 10)
    assert verify_cli.main([str(report)]) == 3
    with pytest.raises(SystemExit) as stopped:
        verify_cli.main([])
    assert stopped.value.code == 3
    assert "larger than" in capsys.readouterr().err


def test_the_words_say_what_failed(made: Sealed, tmp_path: Path, trust_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(made.bundle)
    assert verify_cli.main([str(path), "--trust", str(trust_file)]) == 0
    assert "Good: nothing was changed" in capsys.readouterr().out
    path.write_text("hello")
    assert verify_cli.main([str(path), "--trust", str(trust_file)]) == 2
    assert "neither a PDF" in capsys.readouterr().out
