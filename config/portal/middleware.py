"""What happens around every request: content policy, the person's zone and language, second factor, refusals."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from config.portal import problems as answers
from config.portal.registry import needs_second_factor

GetResponse = Callable[[HttpRequest], HttpResponseBase]

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Nothing inline, nothing from elsewhere: on every page, the admin's included."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.headers.get("HX-Request"):
            patch_vary_headers(response, ["HX-Request"])
        return response

    return middleware


def person(get_response: GetResponse) -> GetResponse:
    """Times and words in the person's own zone and language, for the length of the request."""
    languages = {code for code, _name in settings.LANGUAGES}

    def middleware(request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return get_response(request)
        if (language := getattr(user, "language", "")) in languages:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        with timezone.override(_zone(getattr(user, "time_zone", ""))):
            return get_response(request)

    return middleware


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


OPEN = ("/accounts/", "/static/", "/theme/", "/healthz", "/readyz", "/metrics", "/journal/")


def second_factor(get_response: GetResponse) -> GetResponse:
    """Whoever may sign or configure works with a second factor shown in this session, once the grace is over.

    Being enrolled is not enough: a session that began without the factor has to show it first.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.second_factor_due = None  # type: ignore[attr-defined]
        if request.user.is_authenticated and not request.path.startswith(OPEN):
            refusal = _missing_factor(request)
            if refusal is not None:
                return refusal
        return get_response(request)

    return middleware


def _missing_factor(request: HttpRequest) -> HttpResponse | None:
    # Imported late: allauth's models are not loaded when the middleware is.
    from config.portal import second_factor as factor

    if not needs_second_factor(request.user) or factor.shown(request):
        return None
    if factor.has_one(request.user):
        return _to(request, "mfa_reauthenticate", _("Show your second factor first."))
    due = factor.grace_ends(request.user)
    if due is not None and timezone.now() < due:
        request.second_factor_due = due  # type: ignore[attr-defined]
        return None
    return _to(request, "mfa_activate_totp", _("Set up a second factor first: you hold a right to sign or to configure."))


def _to(request: HttpRequest, name: str, why: str) -> HttpResponse:
    if answers.is_api(request):
        return answers.problem(403, why)
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': request.get_full_path()})}")


class problems:  # noqa: N801 - named as settings.MIDDLEWARE reads best, beside its neighbours
    """A refusal of the domain becomes an answer in the form the client expects."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, RecursionError) and not answers.is_api(request):
            return None
        return answers.response_to(request, exception)
