"""What verifiers and mirrors fetch: the checkpoint, the tiles, and for those with the right the entries in bundles."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.portal import problems
from config.portal.errors import DomainError, Forbidden, Missing
from config.portal.permission import reach
from stewardship.journal.errors import NotSequenced
from stewardship.journal.merkle import TILE
from stewardship.journal.models import Entry
from stewardship.journal.publish import latest, read_tile
from stewardship.journal.rights import EntryRight

FOREVER = "public, max-age=31536000, immutable"


@never_cache
@require_safe
def checkpoint(request: HttpRequest) -> HttpResponseBase:
    """The newest signed checkpoint, and its witnesses' signatures."""
    newest = latest()
    if newest is None:
        return _refused(request, NotSequenced(_("No checkpoint is signed yet."), remedy=_("Try again in a few seconds.")))
    return HttpResponse(newest.note + newest.cosignatures, content_type="text/plain; charset=utf-8")


@require_safe
def tile(request: HttpRequest, level: str, number: str, width: str | None = None) -> HttpResponseBase:
    """One tile of the published tree. A tile never changes, so it may be kept for ever."""
    newest = latest()
    held = newest.size >> (8 * int(level)) if newest else 0
    index, wanted = _place(number, width)
    if wanted > TILE or index * TILE + wanted > held:
        return _refused(request, Missing(_("The published journal holds no such tile.")))
    response = HttpResponse(read_tile(int(level), index, wanted), content_type="application/octet-stream")
    response["Cache-Control"] = FOREVER
    return response


@require_safe
def entries(request: HttpRequest, number: str, width: str | None = None) -> HttpResponseBase:
    """256 leaves, each after its length in two bytes. For those who audit from the root, since a bundle cannot be thinned out."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not reach(request.user, EntryRight.VIEW).everywhere:
        return _refused(request, Forbidden(_("Only who audits the whole installation may fetch entries in bundles.")))
    newest = latest()
    index, wanted = _place(number, width)
    first = index * TILE
    if newest is None or wanted > TILE or first + wanted > newest.size:
        return _refused(request, Missing(_("The published journal holds no such entries.")))
    payloads = Entry.objects.filter(index__gte=first, index__lt=first + wanted).order_by("index").values_list("payload", flat=True)
    leaves = [payload.encode() for payload in payloads]
    response = HttpResponse(b"".join(len(leaf).to_bytes(2) + leaf for leaf in leaves), content_type="application/octet-stream")
    response["Cache-Control"] = "private, no-store"
    return response


def _place(number: str, width: str | None) -> tuple[int, int]:
    return int(number.replace("x", "").replace("/", "")), int(width) if width else TILE


def _refused(request: HttpRequest, error: DomainError) -> HttpResponseBase:
    return problems.response_to(request, error) or HttpResponse(status=500)
