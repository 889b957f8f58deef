"""The signature beside a bundle's manifest, checked with nothing but `cryptography`.

A zip has no seal of its own, so the seal's key signs the manifest, which in turn lists every file and every object.
"""

from __future__ import annotations

import base64
import json

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from governance.audits.offline import MANIFEST
from stewardship.documents.verify import MANIFEST_PURPOSE, Outcome, Trust

SIGNATURE = "manifest.sig"


def write(signature: str, certificate_der: bytes) -> bytes:
    """The signature file: the signature and the certificate it claims, both base64, as JSON."""
    return json.dumps({"signature": signature, "certificate": base64.b64encode(certificate_der).decode()}, indent=1).encode()


def verify_manifest(manifest: bytes, signature: bytes | None, trust: Trust, outcome: Outcome) -> None:
    """Add what the signature of a manifest proves."""
    if signature is None:
        outcome.tampered("seal", f"There is no {SIGNATURE}: the bundle was never signed, or the signature was removed.", file=SIGNATURE)
        return
    try:
        given = json.loads(signature)
        certificate = x509.load_der_x509_certificate(base64.b64decode(given["certificate"], validate=True))
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError("the certificate is not of an elliptic-curve key")
        key.verify(base64.b64decode(given["signature"], validate=True), MANIFEST_PURPOSE + manifest, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        outcome.tampered("seal", "The manifest was changed after it was signed.", file=MANIFEST)
        return
    except Exception as error:  # whatever a forged signature makes the parsers do, it is not a yes
        outcome.tampered("seal", f"The signature of the manifest cannot be read: {type(error).__name__}.", file=SIGNATURE)
        return
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    outcome.facts["seal_certificate"] = fingerprint
    if fingerprint in trust.seal_certificates:
        outcome.good("seal", f"The manifest is signed by the seal that {trust.source} trusts.")
    else:
        outcome.undecided("seal", f"The manifest is signed by {fingerprint}, which {trust.source} does not trust.", fingerprint=fingerprint)


def der(certificate: x509.Certificate) -> bytes:
    """The certificate's bytes."""
    return certificate.public_bytes(serialization.Encoding.DER)
