"""The rights of this slice."""

from enum import StrEnum


class SignatureRight(StrEnum):
    """Nobody needs a right of this slice to sign: the right is to the act that is signed."""

    VIEW = "signing:signature:view"
