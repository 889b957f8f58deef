"""The discussion as a part of any page, and the address that comments are sent to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from config.portal.errors import DomainError
from config.portal.pages import Page
from stewardship.access import allowed_to
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.threads.comment import comment
from stewardship.threads.errors import CommentRefused
from stewardship.threads.models import Comment, Status, Thread
from stewardship.threads.rights import ThreadRight

SALT = "stewardship.threads"
LIFE = 24 * 3600  # seconds that a page may lie open before a comment is sent from it


@dataclass(frozen=True)
class Discussion:
    """What `stewardship/threads/_thread.html` shows."""

    comments: list[Comment]
    resolved: bool
    may_comment: bool
    sealed: str
    back: str


def thread_context(
    request: HttpRequest,
    subject_kind: str,
    subject_id: UUID,
    *,
    region: Region,
    model: RegisteredModel | None = None,
    may_comment: bool | None = None,
) -> dict[str, Any]:
    """Context for `{% include "stewardship/threads/_thread.html" %}`; the page has already checked that its subject may be seen.

    `may_comment`: whether the person holds that right there, where the page has read it already.

    SECURITY: subject, scope and person are sealed into the form, so that a comment cannot be sent to something that the
    person was never shown, or into another region's thread.
    """
    user: User = request.user  # type: ignore[assignment]  # pages are for people who are signed in
    thread = Thread.objects.allowed(user, ThreadRight.VIEW).filter(subject_kind=subject_kind, subject_id=subject_id).first()
    sealed = signing.dumps(
        [str(user.pk), subject_kind, str(subject_id), str(region.pk), str(model.pk) if model else None, request.path], salt=SALT
    )
    return {
        "discussion": Discussion(
            comments=list(thread.comments.select_related("author")) if thread else [],
            resolved=thread is not None and thread.status == Status.RESOLVED,
            may_comment=allowed_to(user, ThreadRight.COMMENT, model or region) if may_comment is None else may_comment,
            sealed=sealed,
            back=request.get_full_path(),
        )
    }


class CommentAdd(Page):
    """Write a comment, and go back to the page it was written on."""

    right = ThreadRight.COMMENT
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: User = request.user  # type: ignore[assignment]  # signed in, says dispatch()
        back = request.POST.get("back", "")
        try:
            person, kind, subject_id, region_id, model_id, link = signing.loads(request.POST.get("subject", ""), salt=SALT, max_age=LIFE)
        except signing.BadSignature:
            person = None
        if person != str(user.pk):
            raise CommentRefused(
                _("This form is too old, or not yours."), field="subject", remedy=_("Open the page again and write there.")
            )
        try:
            written = comment(
                actor=user,
                subject_kind=kind,
                subject_id=UUID(subject_id),
                region=Region.objects.get(pk=region_id),
                model=RegisteredModel.objects.get(pk=model_id) if model_id else None,
                text=request.POST.get("text", ""),
                link=link,
            )
        except DomainError as error:
            messages.error(request, f"{error.message} {error.remedy}".strip())
            return HttpResponseRedirect(link)
        there = back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else link
        return HttpResponseRedirect(f"{there}#comment-{written.pk}")
