"""The hot path in: plain views with a bearer token, a strict body and a receipt. Described to OpenAPI in `schema.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException

from config.portal import idempotency, problems
from config.portal.api import read_body
from config.portal.errors import DomainError, Invalid, Missing
from monitoring.alerts.receive import receive
from monitoring.signals.errors import BodyRefused
from monitoring.signals.ingest import Receipt
from monitoring.signals.models import Source
from stewardship.people.tokens import TokenAuthentication

NATIVE = "native"
View = Callable[..., HttpResponse]


class Named(msgspec.Struct):
    """The one field of a native body that the edge reads: which source it comes from."""

    source: Any = ""


_named = msgspec.json.Decoder(Named)


def _sender(view: View) -> View:
    """POST with a token that may write, once per Idempotency-Key; everything refused as a problem document."""

    def answered(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, **kwargs)
        except DomainError as refusal:
            return _refused(request, refusal)

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            response = problems.problem(HTTPStatus.METHOD_NOT_ALLOWED, _("Facts are sent by POST."))
            response["Allow"] = "POST"
            return response
        authentication = TokenAuthentication()
        try:
            found = authentication.authenticate(request)
            if found is None:
                return _unauthorized(authentication, request, _("A token is needed: Authorization: Bearer cnc_…"))
            actor, body = found[0], read_body(request)
            return idempotency.once(request, actor, body, lambda: answered(request, actor=actor, body=body, **kwargs))
        except DomainError as refusal:
            return _refused(request, refusal)
        except APIException as refusal:
            if refusal.status_code == HTTPStatus.UNAUTHORIZED:
                return _unauthorized(authentication, request, str(refusal.detail))
            return problems.problem(refusal.status_code, str(refusal.detail))

    return wrapped


def _refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    if isinstance(refusal, BodyRefused):
        members = problems.of(refusal) or {}
        return JsonResponse({**members, "errors": refusal.errors}, status=members["status"], content_type=problems.MEDIA_TYPE)
    answer = problems.response_to(request, refusal)
    if answer is None:
        raise refusal
    return answer


def _unauthorized(authentication: TokenAuthentication, request: HttpRequest, detail: str) -> HttpResponse:
    response = problems.problem(HTTPStatus.UNAUTHORIZED, detail)
    response["WWW-Authenticate"] = authentication.authenticate_header(request)
    return response


@_sender
def signals(request: HttpRequest, *, actor: Any, body: bytes) -> HttpResponse:
    """A batch in our own format, plain or as CloudEvents."""
    content_type = request.headers.get("Content-Type", "")
    source = _native_source(request, body, content_type, actor)
    return _answer(receive(source=source, body=body, content_type=content_type, actor=actor))


@_sender
def inbound(request: HttpRequest, *, key: str, actor: Any, body: bytes) -> HttpResponse:
    """A body in the source's own format."""
    source = Source.objects.filter(slug=key, user=actor).first()
    if source is None:
        # Whether such a source exists under another account is nobody's business.
        raise Missing(
            _("No source “%(key)s” sends under this account.") % {"key": key}, remedy=_("Check the address and whose token it is.")
        )
    return _answer(receive(source=source, body=body, content_type=request.headers.get("Content-Type", ""), actor=actor))


def _native_source(request: HttpRequest, body: bytes, content_type: str, actor: Any) -> Source:
    """The source named in the body or the address; without a name, the only one that sends under this account."""
    wanted = request.GET.get("source", "")
    if not wanted and "cloudevents" not in content_type:
        try:
            said = _named.decode(body).source
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = ""  # the adapter says what is wrong with this body
        if not isinstance(said, str):
            raise Invalid(_("The source is named by its key, a text."), field="source", remedy=_("Give the key of a registered source."))
        wanted = said
    mine = Source.objects.filter(kind=NATIVE, user=actor).order_by("slug")
    found: list[Source] = list(mine.filter(slug=wanted)[:1] if wanted else mine[:2])
    if len(found) != 1:
        keys = ", ".join(mine.values_list("slug", flat=True)[:10]) or _("none yet")
        raise Invalid(
            _("It is not clear from which source this comes."),
            field="source",
            remedy=_("Name a source that sends under this account (%(keys)s), or have one registered.") % {"keys": keys},
        )
    return found[0]


def _answer(receipt: Receipt) -> HttpResponse:
    return JsonResponse(
        {
            "batch": str(receipt.batch.pk) if receipt.batch else None,
            "received": receipt.received,
            "accepted": receipt.accepted,
            "duplicates": receipt.duplicates,
            "quarantined": receipt.quarantined,
            "problems": [{"index": one.index, "field": one.field, "message": one.message} for one in receipt.problems],
        },
        status=HTTPStatus.ACCEPTED,
    )
