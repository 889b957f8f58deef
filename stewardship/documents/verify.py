"""Whether a PDF is whole and whose seal it bears. No Django, no database, no network: an auditor's machine has none of them.

SECURITY: what is trusted comes from outside the file. A document cannot vouch for its own certificate.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

SEAL_FIELD = "Seal"
MAX_ATTACHED = 512 * 1024 * 1024
MANIFEST_PURPOSE = b"concordat manifest v1\n"


class Verdict(IntEnum):
    """The exit codes of `concordat verify`."""

    GOOD = 0
    TAMPERED = 1
    UNDECIDED = 2
    USAGE = 3


class BadTrust(ValueError):
    """The trust file cannot be read; the message says why."""


@dataclass(frozen=True)
class Trust:
    """Whom the verifier believes, and where it learnt that."""

    origin: str = ""
    keys: tuple[str, ...] = ()  # C2SP verifier keys of the journal
    seal_certificates: frozenset[str] = frozenset()  # SHA-256 of the certificate's DER, in hex
    source: str = "nothing given"

    @classmethod
    def read(cls, text: str | bytes, source: str) -> Trust:
        """From `{"origin", "keys": […], "seal_certificates": […]}`; raises BadTrust."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadTrust(f"{source} is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise BadTrust(f"{source} is not a JSON object.")
        origin = document.get("origin", "")
        keys, seals = document.get("keys", []), document.get("seal_certificates", [])
        if not isinstance(origin, str) or not _texts(keys) or not _texts(seals):
            raise BadTrust(f'{source} must have the form {{"origin": text, "keys": [text], "seal_certificates": [text]}}.')
        return cls(origin, tuple(keys), frozenset(one.lower().replace(":", "") for one in seals), source)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


@dataclass(frozen=True)
class Finding:
    """One check and what it saw. `where` names the row, file or field."""

    check: str
    verdict: Verdict
    text: str
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    """All checks of one file. Tampered wins over undecided, undecided over good; no check at all is undecided."""

    findings: list[Finding] = field(default_factory=list)
    attachments: dict[str, bytes] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def good(self, check: str, text: str, **where: Any) -> None:
        self.findings.append(Finding(check, Verdict.GOOD, text, where))

    def tampered(self, check: str, text: str, **where: Any) -> None:
        self.findings.append(Finding(check, Verdict.TAMPERED, text, where))

    def undecided(self, check: str, text: str, **where: Any) -> None:
        self.findings.append(Finding(check, Verdict.UNDECIDED, text, where))

    @property
    def verdict(self) -> Verdict:
        seen = {finding.verdict for finding in self.findings}
        if Verdict.TAMPERED in seen:
            return Verdict.TAMPERED
        return Verdict.GOOD if seen == {Verdict.GOOD} else Verdict.UNDECIDED

    def bad(self) -> Iterable[Finding]:
        """What stood in the way of a yes."""
        return (finding for finding in self.findings if finding.verdict != Verdict.GOOD)


def verify_pdf(data: bytes, trust: Trust) -> Outcome:
    """Check the seal of a PDF: whole file covered, nothing appended, certificate trusted from outside. Never raises."""
    outcome = Outcome()
    try:
        _verify(data, trust, outcome)
    except Exception as error:  # whatever a forged file makes the parser do, it is not a yes
        outcome.tampered("pdf", f"The file cannot be read as a sealed PDF: {type(error).__name__}: {str(error)[:300]}")
    return outcome


def _verify(data: bytes, trust: Trust, outcome: Outcome) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader

    reader = PdfFileReader(io.BytesIO(data))
    outcome.attachments = read_attachments(reader)
    signatures = list(reader.embedded_signatures)
    if not signatures:
        outcome.tampered("seal", "The PDF carries no seal: it was never sealed, or the seal was stripped.")
        return
    if len(signatures) != 1 or signatures[0].field_name != SEAL_FIELD:
        names = ", ".join(one.field_name for one in signatures)
        outcome.tampered("seal", f"The PDF must carry exactly one signature, named {SEAL_FIELD}; it carries: {names}.")
        return
    _judge(signatures[0], trust, outcome)


def _judge(signature: Any, trust: Trust, outcome: Outcome) -> None:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    certificate = signature.signer_cert
    fingerprint = certificate.sha256.hex()
    context = ValidationContext(trust_roots=[certificate], allow_fetching=False)
    status = validate_pdf_signature(signature, signer_validation_context=context)
    outcome.facts.update(
        seal_certificate=fingerprint, sealed_at=_iso(signature.self_reported_timestamp), seal_subject=certificate.subject.human_friendly
    )
    if not _canonical(signature):
        outcome.tampered("seal", "The seal is not written as Concordat writes it: bytes of it were changed.")
    elif not status.intact:
        outcome.tampered("seal", "Bytes of the PDF were changed after it was sealed.")
    elif not status.valid:
        outcome.tampered("seal", "The seal is not a signature by the certificate it names.")
    elif status.coverage != SignatureCoverageLevel.ENTIRE_FILE or status.modification_level not in {None, ModificationLevel.NONE}:
        outcome.tampered("seal", "Something was appended to the PDF after it was sealed.")
    elif not status.bottom_line:
        outcome.tampered("seal", "The seal is not acceptable: " + status.summary())
    else:
        outcome.good("seal", f"The seal covers the entire file and nothing was changed since {_iso(signature.self_reported_timestamp)}.")
    if fingerprint in trust.seal_certificates:
        outcome.good("seal certificate", f"The seal is that of {certificate.subject.human_friendly}, trusted by {trust.source}.")
    else:
        outcome.undecided(
            "seal certificate",
            f"The seal's certificate {fingerprint} is not one that {trust.source} trusts; anybody could have made it.",
            fingerprint=fingerprint,
        )


def _canonical(signature: Any) -> bool:
    """Whether the seal has the one form in which `seal()` writes it.

    SECURITY: the seal's own bytes are in no byte range, and a lenient parser reads past a flipped bit in its version, its padding
    or the case of its hex digits. So it is written anew from what was verified, and compared.
    """
    from asn1crypto import cms

    _start, before, after, _length = signature.byte_range
    stream = signature.reader.stream
    stream.seek(before)
    gap: bytes = stream.read(after - before)
    information = signature.signer_info
    again = cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": {
                "version": "v1",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {"content_type": "data"},
                "certificates": [signature.signer_cert],
                "signer_infos": [
                    {
                        "version": "v1",
                        "sid": {
                            "issuer_and_serial_number": {
                                "issuer": signature.signer_cert.issuer,
                                "serial_number": signature.signer_cert.serial_number,
                            }
                        },
                        "digest_algorithm": {"algorithm": "sha256"},
                        "signed_attrs": information["signed_attrs"],
                        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                        "signature": information["signature"].native,
                    }
                ],
            },
        }
    ).dump()
    digits: bytes = again.hex().upper().encode()
    return gap == b"<" + digits + b"0" * (len(gap) - len(digits) - 2) + b">"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else "an unknown time"


def read_attachments(reader: Any) -> dict[str, bytes]:
    """The embedded files by name; raises ValueError when a name comes twice or the files are too large to be ours."""
    found: dict[str, bytes] = {}
    node = reader.root
    for key in ("/Names", "/EmbeddedFiles"):  # pyHanko follows a reference on [], not on get()
        if key not in node:
            return found
        node = node[key]
    if "/Kids" in node:
        raise ValueError("its attachments are not listed as Concordat lists them")
    listed = node["/Names"]
    for index in range(1, len(listed), 2):
        spec = listed[index]
        name = str(spec["/UF"] if "/UF" in spec else spec["/F"])
        if name in found:
            raise ValueError(f"two attachments are named {name}")
        found[name] = _unpacked(spec["/EF"]["/F"], MAX_ATTACHED - sum(map(len, found.values())))
    return found


def _unpacked(stream: Any, most: int) -> bytes:
    """The bytes of an embedded file, never more than `most`.

    SECURITY: the parser's own property inflates without a limit, and this file may be a bomb.
    """
    packed: bytes = stream.encoded_data
    if "/Filter" not in stream:
        data = packed
    elif stream["/Filter"] in ("/FlateDecode", ["/FlateDecode"]):
        data = zlib.decompressobj().decompress(packed, most + 1)
    else:
        raise ValueError("an attachment is packed in a way that Concordat does not use")
    if len(data) > most:
        raise ValueError(f"the attachments unpack to more than {MAX_ATTACHED} bytes")
    return data
