"""A proof in one text file (C2SP tlog-proof@v1): the leaf, its place, the path to the root, and the signed checkpoint."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from stewardship.journal import leaf, merkle
from stewardship.journal.note import NoteError, TreeHead, Verifier, decode, open_checkpoint

HEADER: Final = "c2sp.org/tlog-proof@v1"
LARGEST: Final = 300_000


@dataclass(frozen=True)
class Proof:
    """Everything needed to check one entry offline. `extra` is the leaf itself; its hash is what the path proves."""

    extra: bytes
    index: int
    path: list[bytes]
    checkpoint: str

    def write(self) -> str:
        """The file's text."""
        lines = [HEADER, f"extra {base64.b64encode(self.extra).decode()}", f"index {self.index}"]
        lines += [base64.b64encode(item).decode() for item in self.path]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def read(cls, text: str) -> Proof:
        """Parse a file; raises NoteError on anything but the one spelling."""
        if len(text) > LARGEST:
            raise NoteError("This file is too large for a proof.")
        top, blank, checkpoint = text.partition("\n\n")
        lines = top.split("\n")
        if not blank or lines[0] != HEADER or len(lines) < 3 or not lines[1].startswith("extra "):
            raise NoteError("This is not a proof file.")
        number = lines[2].removeprefix("index ")
        if number == lines[2] or not (number.isascii() and number.isdigit()) or len(number) > 19 or (number[0] == "0" and number != "0"):
            raise NoteError("The index of a proof is a plain number.")
        path = [decode(line) for line in lines[3:]]
        if len(path) > 63 or any(len(item) != 32 for item in path):
            raise NoteError("A proof's path is at most 63 hashes of 32 bytes.")
        return cls(decode(lines[1].removeprefix("extra ")), int(number), path, checkpoint)

    def verify(self, keys: Iterable[Verifier], origin: str = "") -> tuple[dict[str, Any], TreeHead]:
        """The leaf and the checkpoint it is proven in; raises NoteError, ProofError or LeafError."""
        head = open_checkpoint(self.checkpoint, keys, origin)
        merkle.verify_inclusion(merkle.leaf_hash(self.extra), self.index, head.size, self.path, head.root)
        document = leaf.parse(self.extra)
        if document["log"] != head.origin:
            raise merkle.ProofError(f"The leaf is of {document['log']}, the checkpoint of {head.origin}.")
        return document, head
