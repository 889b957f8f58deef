"""The portal's seal on a PDF: PAdES B-B by a P-256 key that never leaves the key folder."""

from __future__ import annotations

import base64
import io
import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.translation import gettext as _

from stewardship.documents.errors import SealRefused
from stewardship.documents.verify import MANIFEST_PURPOSE, SEAL_FIELD

if TYPE_CHECKING:
    from pyhanko.sign.signers import SimpleSigner

KEY_FILE = "seal.key"
CERTIFICATE_FILE = "seal.pem"
YEARS = 20


def seal(pdf: bytes) -> bytes:
    """The same PDF with the portal's seal appended; nothing may be added after it."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    meta = signers.PdfSignatureMetadata(
        field_name=SEAL_FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        name=f"Concordat {settings.JOURNAL_ORIGIN}",
        reason="Sealed when it was made",
    )
    out = io.BytesIO()
    signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), meta, signer=_signer(), output=out)
    return out.getvalue()


def sign_manifest(manifest: bytes) -> str:
    """A detached signature of a bundle's manifest by the same key: base64 of DER ECDSA-SHA256 over purpose and bytes."""
    return base64.b64encode(_key().sign(MANIFEST_PURPOSE + manifest, ec.ECDSA(hashes.SHA256()))).decode()


def certificate() -> x509.Certificate:
    """The seal's certificate; made with its key the first time anybody asks."""
    return x509.load_pem_x509_certificate(_file(CERTIFICATE_FILE).read_bytes())


def certificate_pem() -> bytes:
    """The certificate as PEM, to be given to auditors by another way than the documents."""
    return certificate().public_bytes(serialization.Encoding.PEM)


def fingerprint() -> str:
    """SHA-256 of the certificate's DER, in hex: what a verifier is told to trust."""
    return certificate().fingerprint(hashes.SHA256()).hex()


def _file(name: str) -> Path:
    folder = Path(settings.KEY_FOLDER)
    if not (folder / CERTIFICATE_FILE).exists():
        _make(folder)
    return folder / name


def _key() -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(_file(KEY_FILE).read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SealRefused(_("The seal's key is not an elliptic-curve key."), remedy=_("Restore the key folder from its backup."))
    if key.public_key() != certificate().public_key():
        raise SealRefused(_("The seal's key and certificate do not belong together."), remedy=_("Restore the key folder from its backup."))
    return key


def _signer() -> SimpleSigner:
    key = _key().private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return _simple_signer(key, certificate().public_bytes(serialization.Encoding.DER))


@lru_cache(maxsize=2)
def _simple_signer(key: bytes, certificate_der: bytes) -> SimpleSigner:
    from asn1crypto import keys as asn1_keys
    from asn1crypto import x509 as asn1_x509
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    return SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate_der),
        signing_key=asn1_keys.PrivateKeyInfo.load(key),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # pyHanko annotates it not at all
    )


def _make(folder: Path) -> None:
    """A key and its self-signed certificate, once, whoever else tries at the same time.

    The key file is created exclusively; the certificate appears last and in one step, so its presence means that both are whole.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    temporary = folder / f"{KEY_FILE}.{os.getpid()}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, folder / KEY_FILE)  # fails where a key exists: never overwritten
    except FileExistsError:
        loaded = serialization.load_pem_private_key((folder / KEY_FILE).read_bytes(), password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        key = loaded
    finally:
        temporary.unlink()
    fresh = folder / f"{CERTIFICATE_FILE}.{os.getpid()}"
    fresh.write_bytes(_self_signed(key).public_bytes(serialization.Encoding.PEM))
    try:
        os.link(fresh, folder / CERTIFICATE_FILE)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Concordat"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Seal of {settings.JOURNAL_ORIGIN}"[:64]),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
