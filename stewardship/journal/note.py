"""Signed notes and checkpoints as C2SP describes them (Ed25519). Needs `cryptography`, no Django."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = 0x01
LARGEST_NOTE: Final = 1_000_000
MOST_SIGNATURES: Final = 100


class NoteError(Exception):
    """Not a signed note, or not one that says what is needed."""


class NotTrusted(NoteError):
    """No signature by a key that the verifier was given: nothing can be said."""


class Forged(NoteError):
    """A signature in a trusted key's name that does not fit the text."""


def decode(text: str) -> bytes:
    """Base64 in its one canonical spelling; raises NoteError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("This is not base64.") from error
    if base64.b64encode(data).decode() != text:
        raise NoteError("This base64 is not canonical.")
    return data


def _good_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() or not character.isprintable() for character in name)


def key_hash(name: str, public: bytes) -> bytes:
    """Four bytes that tell keys apart."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4]


@dataclass(frozen=True)
class Verifier:
    """A public key with the name it signs under."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read `name+hash+base64`; raises NoteError."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not _good_name(parts[0]):
            raise NoteError("A public key has the form name+hash+base64.")
        data = decode(parts[2])
        if len(data) != 33 or data[0] != ED25519:
            raise NoteError("Only Ed25519 keys are read.")
        key = cls(parts[0], data[1:])
        if key.id != parts[1]:
            raise NoteError("The key's hash does not fit the key.")
        return key

    @property
    def id(self) -> str:
        """The key hash in hex."""
        return key_hash(self.name, self.public).hex()

    def __str__(self) -> str:
        return f"{self.name}+{self.id}+{base64.b64encode(bytes([ED25519]) + self.public).decode()}"

    def check(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key with its name."""

    name: str
    seed: bytes

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Read `PRIVATE+KEY+name+hash+base64`; raises NoteError."""
        parts = text.strip().split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"] or not _good_name(parts[2]):
            raise NoteError("This is not a private key file.")
        data = decode(parts[4])
        if len(data) != 33 or data[0] != ED25519:
            raise NoteError("Only Ed25519 keys are read.")
        signer = cls(parts[2], data[1:])
        if signer.verifier.id != parts[3]:
            raise NoteError("The key's hash does not fit the key.")
        return signer

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def __str__(self) -> str:
        secret = base64.b64encode(bytes([ED25519]) + self.seed).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.id}+{secret}"

    def line(self, text: bytes) -> str:
        """The signature line under this text."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)
        return f"— {self.name} {base64.b64encode(key_hash(self.name, self.verifier.public) + signature).decode()}\n"


def sign(text: str, signers: Iterable[Signer]) -> str:
    """A signed note; the text ends in a line break."""
    return text + "\n" + "".join(signer.line(text.encode()) for signer in signers)


def open_note(note: str, keys: Iterable[Verifier]) -> str:
    """The text that at least one of these keys signed; raises NotTrusted or Forged. Unknown signatures are ignored."""
    if len(note) > LARGEST_NOTE:
        raise NoteError("This note is too large.")
    text, found, tail = note.rpartition("\n\n")
    text += "\n"
    if not found or not tail.endswith("\n"):
        raise NoteError("This is not a signed note.")
    if any(ord(character) < 0x20 and character != "\n" for character in note):
        raise NoteError("A note holds no control characters.")
    try:
        signed = text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("This note is not Unicode.") from error
    known = {(key.name, key.id): key for key in keys}
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteError("This note carries too many signatures.")
    good = False
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, space, encoded = rest.partition(" ")
        if dash != "—" or not space or not _good_name(name):
            raise NoteError("This is not a signature line.")
        data = decode(encoded)
        if len(data) < 5:
            raise NoteError("This signature is too short.")
        key = known.get((name, data[:4].hex()))
        if key is None:
            continue
        if not key.check(signed, data[4:]):
            raise Forged(f"The signature of {name} does not fit the text.")
        good = True
    if not good:
        raise NotTrusted("No key that you trust has signed this.")
    return text


@dataclass(frozen=True)
class TreeHead:
    """What a checkpoint says: this log, at this size, has this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> TreeHead:
        """Read the text of a checkpoint; raises NoteError."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or "" in lines[3:-1] or lines[-1]:
            raise NoteError("A checkpoint has a name, a size and a root.")
        size = lines[1]
        if not (size.isascii() and size.isdigit()) or len(size) > 19 or (size.startswith("0") and size != "0"):
            raise NoteError("A checkpoint's size is a plain number.")
        root = decode(lines[2])
        if len(root) != 32:
            raise NoteError("A checkpoint's root is 32 bytes.")
        return cls(lines[0], int(size), root)


def open_checkpoint(note: str, keys: Iterable[Verifier], origin: str = "") -> TreeHead:
    """The tree head that a trusted key signed; a key speaks only for the log of its own name. Raises NoteError."""
    keys = list(keys)
    head = TreeHead.parse(open_note(note, keys))
    expected = {origin} if origin else {key.name for key in keys}
    if head.origin not in expected:
        raise NotTrusted(f"This checkpoint is of {head.origin}, not of {' or '.join(sorted(expected))}.")
    ours = [key for key in keys if key.name == head.origin]
    if len(ours) < len(keys):
        open_note(note, ours)  # SECURITY: of several trusted logs one must not vouch for another.
    return head
