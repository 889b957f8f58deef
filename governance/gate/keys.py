"""Two keys of the gate: Ed25519 for permits that others verify, and a secret for the standings that only we trust."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings


def _kept(path: Path, make: bytes) -> bytes:
    """The key in this file, made once with 0600; whoever is second reads what the first wrote."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # atomic, and fails where another process was faster
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


@lru_cache(maxsize=4)
def _private(folder: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_kept(folder / "permit.key", secrets.token_bytes(32)))


@lru_cache(maxsize=4)
def _secret(folder: Path) -> bytes:
    return _kept(folder / "standing.key", secrets.token_bytes(32))


def sign(message: bytes) -> bytes:
    """Ed25519 signature by this installation's permit key."""
    return _private(settings.KEY_FOLDER).sign(message)


def public_key() -> Ed25519PublicKey:
    """What others verify permits with."""
    return _private(settings.KEY_FOLDER).public_key()


def key_id(key: Ed25519PublicKey) -> str:
    """A short name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def jwk() -> dict[str, str]:
    """The public key as a JSON Web Key (RFC 8037)."""
    key = public_key()
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": key_id(key),
        "x": base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode(),
    }


def mac(message: bytes) -> str:
    """HMAC-SHA256 with the secret that only this installation knows, in hex."""
    return hmac.new(_secret(settings.KEY_FOLDER), message, hashlib.sha256).hexdigest()


def mac_matches(message: bytes, value: str) -> bool:
    """Whether this MAC is ours, in constant time."""
    return hmac.compare_digest(mac(message), value)
