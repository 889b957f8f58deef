"""Small endpoints of the shell itself."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

CHOICES = {"theme": ("auto", "light", "dark"), "density": ("roomy", "compact"), "sidebar": ("open", "collapsed")}
A_YEAR = 365 * 24 * 3600


@require_POST
def choose_look(request: HttpRequest) -> HttpResponse:
    """Remember theme, density or sidebar in a cookie of this browser, and go back to where the person was."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    for name, values in CHOICES.items():
        if (value := request.POST.get(name, "")) in values:
            response.set_cookie(name, value, max_age=A_YEAR, samesite="Lax", secure=settings.SECURE)
    return response


@never_cache
@login_required
def totp_picture(request: HttpRequest) -> HttpResponse:
    """The QR code of the secret that is being set up, as a picture of its own: the CSP allows no `data:` images."""
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY

    secret = request.session.get(SECRET_SESSION_KEY)
    if not secret:
        raise Http404
    adapter = get_adapter()
    return HttpResponse(adapter.build_totp_svg(adapter.build_totp_url(request.user, secret)), content_type="image/svg+xml")
