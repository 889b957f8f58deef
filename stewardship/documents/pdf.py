"""HTML to PDF/A-3: the same input gives the same bytes, and nothing is fetched from anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from config.portal.errors import Unavailable

PDF_VARIANT = "pdf/a-3a"  # a: tagged, so that a screen reader has headings, lists and tables; a tenth of the time more than b


@dataclass(frozen=True)
class Attached:
    """A file inside the PDF. `relationship` is PDF's AFRelationship: Data, Source, Supplement, …"""

    name: str
    data: bytes
    description: str
    relationship: str = "Data"


def render(html: str, *, title: str, identifier: str, created: datetime, attachments: Sequence[Attached] = ()) -> bytes:
    """The tagged PDF/A-3a of this HTML with these files inside.

    `identifier` and `created` (aware) come from the data, never from the clock: equal input gives equal bytes.
    Raises Unavailable where Pango is not installed.
    """
    weasyprint = _weasyprint()
    fetcher = _fetcher(weasyprint)
    document = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url=None).render()
    metadata = document.metadata
    metadata.title = title
    metadata.created = metadata.modified = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata.attachments = [
        weasyprint.Attachment(
            string=one.data,
            name=one.name,
            description=one.description,
            created=created,
            modified=created,
            relationship=one.relationship,
            url_fetcher=fetcher,
        )
        for one in attachments
    ]
    made: bytes = document.write_pdf(pdf_variant=PDF_VARIANT, pdf_identifier=hashlib.sha256(identifier.encode()).digest()[:16])
    return made


def available() -> None:
    """Nothing when PDFs can be made here; otherwise raises Unavailable with what to install."""
    _weasyprint()


def _weasyprint() -> Any:
    """Imported late: where Pango is missing the import itself raises OSError, and the rest of the portal must still start."""
    try:
        import weasyprint
    except OSError as error:
        raise Unavailable(
            _("PDFs cannot be made here: Pango is not installed."), remedy=_("Install the package libpango-1.0-0 and libpangoft2-1.0-0.")
        ) from error
    return weasyprint


def _fetcher(weasyprint: Any) -> Any:
    """A fetcher that fetches nothing at all.

    SECURITY: the default one embedded a local file through <link rel=attachment href=file:///…>.
    """

    class Nothing(weasyprint.URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> NoReturn:
            raise ValueError(f"A report refers to nothing outside itself: {url[:200]}")

    return Nothing()
