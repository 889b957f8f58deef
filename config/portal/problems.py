"""Every refusal leaves the house here: a problem document (RFC 9457) under /api/, otherwise a page that says what to do."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from config.portal import errors

log = logging.getLogger("concordat.problems")

MEDIA_TYPE = "application/problem+json"

# The first class that fits decides, so subclasses come before their bases.
STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.Missing, HTTPStatus.NOT_FOUND),
    (errors.Forbidden, HTTPStatus.FORBIDDEN),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.Unprocessable, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.DomainError, HTTPStatus.BAD_REQUEST),
    (Http404, HTTPStatus.NOT_FOUND),
    (PermissionDenied, HTTPStatus.FORBIDDEN),
    (RequestDataTooBig, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (SuspiciousOperation, HTTPStatus.BAD_REQUEST),
    (RecursionError, HTTPStatus.BAD_REQUEST),
)


def status_of(error: Exception) -> HTTPStatus | None:
    """The HTTP status that an exception stands for; None for one nobody foresaw."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), None)


def document(status: int, detail: str, *, field: str = "", remedy: str = "", errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """A problem document; empty members are left out."""
    title = HTTPStatus(status).phrase
    members: dict[str, Any] = {"type": f"urn:concordat:problem:{title.lower().replace(' ', '-')}", "title": title, "status": int(status)}
    for name, value in (("detail", detail), ("field", field), ("remedy", remedy), ("errors", errors)):
        if value:
            members[name] = value
    return members


def is_api(request: HttpRequest) -> bool:
    """Whether whoever asks expects a document rather than a page."""
    return request.path.startswith("/api/")


def problem(status: int, detail: str, **members: Any) -> JsonResponse:
    """The problem document as a plain Django response, for views outside REST framework."""
    return JsonResponse(document(status, detail, **members), status=status, content_type=MEDIA_TYPE)


def of(error: Exception) -> dict[str, Any] | None:
    """The problem document for a foreseen exception."""
    status = status_of(error)
    if status is None:
        return None
    if isinstance(error, errors.DomainError):
        return document(status, str(error.message), field=error.field, remedy=str(error.remedy))
    return document(status, _detail(error, status))


def _detail(error: Exception, status: HTTPStatus) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return _("There is nothing here, or nothing that you may see.")
    if status == HTTPStatus.FORBIDDEN:
        return str(error) or _("You may not do this.")
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _("The request is larger than this server takes.")
    if isinstance(error, RecursionError):
        return _("The document is nested too deeply.")
    return _("The request could not be understood.")


def response_to(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """What to answer to a foreseen exception, in the form the client expects; None for an unforeseen one."""
    if is_api(request):
        members = of(error)
        return None if members is None else JsonResponse(members, status=members["status"], content_type=MEDIA_TYPE)
    status = status_of(error)
    if status is None:
        return None
    if isinstance(error, errors.DomainError):
        return page(request, status, str(error.message), str(error.remedy))
    return page(request, status, _detail(error, status))


HEADLINES = {
    400: gettext_noop("That request could not be read"),
    403: gettext_noop("You may not do this"),
    404: gettext_noop("Nothing here that you may see"),
    409: gettext_noop("Somebody was faster"),
    413: gettext_noop("That is too large"),
    500: gettext_noop("Something broke on our side"),
    503: gettext_noop("Not available on this installation"),
}


def page(request: HttpRequest, status: int, detail: str, remedy: str = "") -> HttpResponse:
    """A whole page that says what happened, what was not lost, and what to do."""
    headline = _(HEADLINES.get(int(status), HTTPStatus(status).phrase))
    return render(
        request, "portal/problem.html", {"headline": headline, "detail": detail, "remedy": remedy, "status": int(status)}, status=status
    )


# --- REST framework -----------------------------------------------------------------------------


def api_exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's hook: every refusal becomes a problem document."""
    members = of(error)
    headers: dict[str, str] = {}
    if isinstance(error, exceptions.APIException):
        members = document(error.status_code, *_api_detail(error), errors=_api_errors(error))
        if header := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = header
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
    if members is None:
        return None
    set_rollback()
    return Response(members, status=members["status"], headers=headers, content_type=MEDIA_TYPE)


def _api_detail(error: exceptions.APIException) -> tuple[str]:
    if isinstance(error, exceptions.ValidationError):
        return (_("The document has errors; each is named with its field."),)
    return (str(error.detail),)


def _api_errors(error: exceptions.APIException) -> list[dict[str, str]]:
    return list(_flat("", error.detail)) if isinstance(error, exceptions.ValidationError) else []


def _flat(where: str, detail: Any) -> Any:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(f"{where}.{name}" if where else str(name), inner)
    elif isinstance(detail, list | tuple):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _flat(f"{where}.{position}" if nested else where, inner)
    else:
        yield {"field": "" if where == "non_field_errors" else where, "detail": str(detail)}


# --- Django's error handlers --------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return response_to(request, exception) or page(request, 400, _("The request could not be understood."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return response_to(request, exception) or page(request, 403, _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = _("There is nothing here, or nothing that you may see.")
    return problem(404, text) if is_api(request) else page(request, 404, text, _("Check the address, or look for it with Ctrl-K."))


def server_error(request: HttpRequest) -> HttpResponse:
    text = _("The error has been written to the log. What you had already saved is safe; try again in a minute.")
    if is_api(request):
        return problem(500, text)
    # No template context here: what broke may be what the shell needs.
    return HttpResponse(
        f"<!doctype html><html lang='{get_language() or 'en'}'><meta charset='utf-8'><title>500</title>"
        f"<h1>{_(HEADLINES[500])}</h1><p>{text}</p><p><a href='/'>{_('Back to the inbox')}</a></p></html>",
        status=500,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's hook for a form without a valid token: an expired session, or another site's form."""
    text = _("This form is out of date, or it was sent from another site.")
    if is_api(request):
        return problem(403, text)
    return page(request, 403, text, _("Go back, load the page again and repeat the last step."))


@csrf_exempt
def no_such_endpoint(request: HttpRequest) -> HttpResponse:
    """The end of /api/ and /journal/: never a log-in page."""
    return problem(404, _("There is no such address."))
