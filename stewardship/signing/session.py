"""Which session a request signs in."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _

from stewardship.signing.errors import ProgramsCannotSign


def signing_session(request: HttpRequest) -> str:
    """The key of the person's session; raises ProgramsCannotSign for an API token or a request without a session."""
    session = getattr(request, "session", None)
    if getattr(request, "auth", None) is not None or session is None or not session.session_key:
        raise ProgramsCannotSign(
            _("A signature needs a person in a session of the portal; an access token can never sign."),
            remedy=_("Log in to the portal and sign there."),
        )
    return str(session.session_key)
