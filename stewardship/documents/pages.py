"""Files leave the portal here, always as downloads."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from config.portal.errors import Missing
from config.portal.pages import SIGNED_IN, Page
from stewardship.documents import owners
from stewardship.documents.models import Blob


def download(data: bytes, *, name: str, media_type: str) -> HttpResponse:
    """Bytes as an attachment that no browser will run or show inside the portal.

    SECURITY: evidence comes from outside; as a page of this origin it could act for whoever opens it.
    """
    response = HttpResponse(data, content_type=media_type)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


class BlobDownload(Page):
    """One file, for whoever may see something that it belongs to; for everybody else there is no such file."""

    right = SIGNED_IN

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        blob = Blob.objects.filter(pk=self.kwargs["pk"]).first()
        if blob is None or not owners.may_read(request.user, blob):
            raise Missing(_("There is no such file, or none that you may see."))
        return download(blob.read(), name=blob.name, media_type=blob.media_type)
