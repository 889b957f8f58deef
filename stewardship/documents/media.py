"""What bytes are, judged by the bytes: a file never becomes something else by its name."""

from __future__ import annotations

from django.utils.translation import gettext as _

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
        return _("Files of type %(type)s are not accepted.") % {"type": media_type}
    looks = next((name for name, starts in MAGIC.items() if data.startswith(starts)), "")
    if media_type in MAGIC and looks != media_type:
        return _("The file says it is %(type)s, but its first bytes do not.") % {"type": media_type}
    if media_type in TEXT:
        if looks:
            text = _("The file says it is %(type)s, but its first bytes are those of %(looks)s.")
            return text % {"type": media_type, "looks": looks}
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            text = _("The file says it is %(type)s, but byte %(place)d is not UTF-8 text.")
            return text % {"type": media_type, "place": error.start}
    return ""
