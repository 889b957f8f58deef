"""A seal that any change breaks, and that is trusted only from outside."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from config.portal.errors import Unavailable
from stewardship.documents import pdf, seal
from stewardship.documents.errors import SealRefused
from stewardship.documents.verify import BadTrust, Outcome, Trust, Verdict, verify_pdf

MADE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FILES = (pdf.Attached("one.json", b'{"a":1}' * 40, "Numbers"), pdf.Attached("rows.jsonl", b"{}\n", "Rows"))


@pytest.fixture(scope="module")
def plain() -> bytes:
    return pdf.render("<h1>Report</h1>", title="Report", identifier="r1", created=MADE, attachments=FILES)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(autouse=True)
def _key_folder(settings, keys: Path) -> None:
    settings.KEY_FOLDER = keys
    settings.JOURNAL_ORIGIN = "bank.invalid"


@pytest.fixture
def sealed(plain: bytes) -> bytes:
    return seal.seal(plain)


@pytest.fixture
def trust() -> Trust:
    return Trust(seal_certificates=frozenset({seal.fingerprint()}), source="the test")


def flipped(data: bytes, place: int, bit: int = 1) -> bytes:
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


def test_the_same_input_gives_the_same_bytes(plain: bytes) -> None:
    assert pdf.render("<h1>Report</h1>", title="Report", identifier="r1", created=MADE, attachments=FILES) == plain


def test_nothing_is_fetched_from_anywhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    html = f'<link rel=attachment href="file://{secret}"><img src="file://{secret}"><a rel=attachment href="file://{secret}">x</a>'
    made = verify_pdf(pdf.render(html, title="x", identifier="x", created=MADE), Trust())
    assert made.attachments == {}


def test_it_says_that_it_is_an_archive_and_how_the_files_belong_to_it(plain: bytes) -> None:
    root = PdfFileReader(io.BytesIO(plain)).root
    assert b'pdfaid:part="3" pdfaid:conformance="A"' in root["/Metadata"].data
    assert root["/Names"]["/EmbeddedFiles"]["/Names"][1]["/AFRelationship"] == "/Data"


def test_it_is_tagged_for_who_listens_to_it(sealed: bytes) -> None:
    """PDF/A-3a: what is a heading and in which language it is, after the seal too."""
    root = PdfFileReader(io.BytesIO(sealed)).root
    assert root["/MarkInfo"]["/Marked"]
    kinds, waiting = set(), [root["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop()
        kinds.add(node.get("/S"))
        for key in {"/K"} & set(node):
            below = node[key]  # pyHanko follows a reference on [], not on get()
            below = [below[place] for place in range(len(below))] if isinstance(below, list) else [below]
            waiting.extend(one for one in below if isinstance(one, dict))
    assert "/H1" in kinds


def test_without_pango_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def missing(name: str, *args: object, **kwargs: object) -> object:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(Unavailable, match="Pango"):
        pdf.available()


def test_a_trusted_seal_is_good_and_the_files_come_out_whole(sealed: bytes, trust: Trust) -> None:
    outcome = verify_pdf(sealed, trust)
    assert outcome.verdict == Verdict.GOOD
    assert outcome.attachments == {one.name: one.data for one in FILES}


def test_a_seal_that_nobody_vouched_for_decides_nothing(sealed: bytes) -> None:
    outcome = verify_pdf(sealed, Trust())
    assert outcome.verdict == Verdict.UNDECIDED
    assert [one.check for one in outcome.bad()] == ["seal certificate"]


def test_a_foreign_seal_decides_nothing(plain: bytes, trust: Trust, settings, tmp_path: Path) -> None:
    settings.KEY_FOLDER = tmp_path
    assert verify_pdf(seal.seal(plain), trust).verdict == Verdict.UNDECIDED


def test_a_stripped_seal_is_refused(plain: bytes, trust: Trust) -> None:
    assert verify_pdf(plain, trust).verdict == Verdict.TAMPERED


def test_one_changed_byte_is_refused_wherever_it_is(sealed: bytes, trust: Trust) -> None:
    """Every 97th byte of the file, and every byte of the seal itself, which no byte range covers."""
    start = sealed.rindex(b"/Contents <")
    end = sealed.index(b">", start)
    places = [*range(0, len(sealed), 97), *range(start, min(end, start + 400), 3), end - 1, end, len(sealed) - 1]
    for place in places:
        for bit in (1, 0x20):
            assert verify_pdf(flipped(sealed, place, bit), trust).verdict == Verdict.TAMPERED, (place, bit)


def test_the_case_of_a_digit_of_the_seal_is_a_change(sealed: bytes, trust: Trust) -> None:
    start = sealed.rindex(b"/Contents <") + len(b"/Contents <")
    letter = next(place for place in range(start, start + 200) if sealed[place : place + 1].isalpha())
    outcome = verify_pdf(flipped(sealed, letter, 0x20), trust)
    assert outcome.verdict == Verdict.TAMPERED
    assert "not written as Concordat writes it" in next(iter(outcome.bad())).text


def test_a_forged_attachment_as_an_incremental_update_is_refused(sealed: bytes, trust: Trust) -> None:
    from pyhanko.pdf_utils import embed
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    forged = embed.EmbeddedFileObject.from_file_data(writer, b"forged", compress=False)
    embed.embed_file(writer, embed.FileSpec("forged.jsonl", file_name="forged.jsonl", embedded_data=forged))
    out = io.BytesIO()
    writer.write(out)
    outcome = verify_pdf(out.getvalue(), trust)
    assert outcome.verdict == Verdict.TAMPERED


def test_anything_appended_is_refused(sealed: bytes, trust: Trust) -> None:
    assert verify_pdf(sealed + b"\n% a comment", trust).verdict == Verdict.TAMPERED


def test_a_signature_of_another_name_is_no_seal(plain: bytes, trust: Trust) -> None:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    out = io.BytesIO()
    signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(plain)), signers.PdfSignatureMetadata(field_name="Other"), signer=seal._signer(), output=out
    )
    outcome = verify_pdf(out.getvalue(), trust)
    assert outcome.verdict == Verdict.TAMPERED
    assert "exactly one signature" in outcome.findings[0].text


@pytest.mark.parametrize(
    "data",
    [b"", b"%PDF-", b"%PDF-1.7\n%%EOF", b"%PDF-1.7\nstartxref\n5\n%%EOF\n", b"\x00" * 500],
    ids=["empty", "head", "eof", "xref", "zeros"],
)
def test_garbage_is_never_good(data: bytes, trust: Trust) -> None:
    assert verify_pdf(data, trust).verdict == Verdict.TAMPERED


def test_truncated_anywhere_is_never_good(sealed: bytes, trust: Trust) -> None:
    for length in range(0, len(sealed), max(1, len(sealed) // 40)):
        assert verify_pdf(sealed[:length], trust).verdict == Verdict.TAMPERED


def test_key_and_certificate_are_made_once_and_the_key_is_private(settings, tmp_path: Path) -> None:
    settings.KEY_FOLDER = tmp_path / "fresh"
    first = seal.fingerprint()
    assert seal.fingerprint() == first
    assert (tmp_path / "fresh" / seal.KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in seal.certificate_pem()


def test_a_certificate_lost_is_made_again_for_the_same_key(settings, tmp_path: Path, plain: bytes) -> None:
    settings.KEY_FOLDER = tmp_path
    before = seal.certificate().public_key()
    (tmp_path / seal.CERTIFICATE_FILE).unlink()
    assert seal.certificate().public_key() == before
    assert verify_pdf(seal.seal(plain), Trust(seal_certificates=frozenset({seal.fingerprint()}))).verdict == Verdict.GOOD


def test_a_key_of_another_certificate_is_refused(settings, tmp_path: Path, plain: bytes) -> None:
    settings.KEY_FOLDER = tmp_path / "one"
    seal.fingerprint()
    settings.KEY_FOLDER = tmp_path / "two"
    seal.fingerprint()
    (tmp_path / "two" / seal.KEY_FILE).write_bytes((tmp_path / "one" / seal.KEY_FILE).read_bytes())
    with pytest.raises(SealRefused, match="do not belong together"):
        seal.seal(plain)


def test_a_key_of_another_kind_is_refused(settings, tmp_path: Path, plain: bytes) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    settings.KEY_FOLDER = tmp_path
    seal.fingerprint()
    other = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / seal.KEY_FILE).write_bytes(other)
    with pytest.raises(SealRefused, match="elliptic-curve"):
        seal.seal(plain)


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"keys": "x"}', '{"seal_certificates": [1]}', '{"origin": 3}', "[" * 100_000])
def test_a_trust_file_that_cannot_be_read_is_wrong_use(text: str) -> None:
    with pytest.raises(BadTrust):
        Trust.read(text, "trust.json")


def test_a_trust_file_may_write_fingerprints_with_colons() -> None:
    trust = Trust.read(json.dumps({"origin": "o", "keys": ["k"], "seal_certificates": ["AB:CD"]}), "t")
    assert trust == Trust("o", ("k",), frozenset({"abcd"}), "t")


def test_no_check_at_all_is_no_yes() -> None:
    assert Outcome().verdict == Verdict.UNDECIDED
