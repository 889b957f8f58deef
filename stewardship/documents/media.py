"""What bytes are, judged by the bytes: a file never becomes something else by its name."""

from __future__ import annotations

OCTETS = "application/octet-stream"

# The first bytes of every binary type that people attach as evidence.
MAGIC: dict[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "application/gzip": (b"\x1f\x8b",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
}
TEXT = frozenset({"application/json", "application/xml", "text/csv", "text/markdown", "text/plain", "text/xml"})
ACCEPTED = frozenset(MAGIC) | TEXT | {OCTETS}


def contradiction(data: bytes, media_type: str) -> str:
    """Why these bytes cannot be of this media type; empty when they may be."""
    if media_type not in ACCEPTED:
        return f"Files of type {media_type} are not accepted."
    looks = next((name for name, starts in MAGIC.items() if data.startswith(starts)), "")
    if media_type in MAGIC and looks != media_type:
        return f"The file says it is {media_type}, but its first bytes do not."
    if media_type in TEXT:
        if looks:
            return f"The file says it is {media_type}, but its first bytes are those of {looks}."
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            return f"The file says it is {media_type}, but byte {error.start} is not UTF-8 text."
    return ""
