"""The discussion as a part of any page, and the address that comments are sent to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.core import signing
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.pages import Crumb, FormPage
from stewardship.access import allowed_to
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.threads.comment import comment
from stewardship.threads.errors import CommentRefused
from stewardship.threads.forms import CommentForm, SettleForm
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

    @property
    def next_status(self) -> str:
        """What the button makes of it."""
        return (Status.OPEN if self.resolved else Status.RESOLVED).value


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
    # A thread begins with its first comment, so that the comments bring it along.
    said = Comment.objects.allowed(user, ThreadRight.VIEW).filter(thread__subject_kind=subject_kind, thread__subject_id=subject_id)
    comments = list(said.select_related("author", "thread"))
    sealed = signing.dumps(
        [str(user.pk), subject_kind, str(subject_id), str(region.pk), str(model.pk) if model else None, request.path], salt=SALT
    )
    return {
        "discussion": Discussion(
            comments=comments,
            resolved=bool(comments) and comments[0].thread.status == Status.RESOLVED,
            may_comment=allowed_to(user, ThreadRight.COMMENT, model or region) if may_comment is None else may_comment,
            sealed=sealed,
            back=request.get_full_path(),
        )
    }


@dataclass(frozen=True)
class Place:
    """The subject and the page that a form was shown on."""

    kind: str
    subject: UUID
    region: Region
    model: RegisteredModel | None
    link: str


class Sealed(FormPage):
    """A form that stands on the page of its subject, and is shown alone only when it was refused: what was typed is not lost."""

    abstract = True
    right = ThreadRight.COMMENT
    http_method_names = ["post"]
    anchor = "discussion"

    def get_place(self) -> Place:
        """Where the form was shown, to this person and not long ago; raises CommentRefused."""
        try:
            person, kind, subject, region, model, link = signing.loads(self.request.POST.get("subject", ""), salt=SALT, max_age=LIFE)
        except signing.BadSignature:
            person = None
        if person != str(self.request.user.pk):
            raise CommentRefused(_("This form is too old, or not yours."), remedy=_("Open the page again and write there."))
        found = RegisteredModel.objects.get(pk=model) if model else None
        return Place(kind, UUID(subject), Region.objects.get(pk=region), found, link)

    def get_back(self, link: str) -> str:
        """The page that the form stood on, at the discussion."""
        back = self.request.POST.get("back", "")
        return f"{back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else link}#{self.anchor}"

    def get_crumbs(self) -> Iterable[Crumb]:
        with suppress(CommentRefused):
            yield Crumb(_("Back to the page"), self.get_back(self.get_place().link))


class CommentAdd(Sealed):
    """Write a comment, and go back to the page it was written on."""

    title = submit_label = gettext_lazy("Comment")
    form_class = CommentForm

    def submit(self, form: Any) -> str:
        place = self.get_place()
        written = comment(
            actor=cast(User, self.request.user),
            subject_kind=place.kind,
            subject_id=place.subject,
            region=place.region,
            model=place.model,
            text=form.cleaned_data["text"],
            link=place.link,
        )
        self.anchor = f"comment-{written.pk}"
        return self.get_back(place.link)


class ThreadSettle(Sealed):
    """Say that nothing is waited for any more in a discussion, or that something is after all."""

    title = submit_label = gettext_lazy("Discussion")
    form_class = SettleForm

    def submit(self, form: Any) -> str:
        place, user = self.get_place(), cast(User, self.request.user)
        thread = Thread.objects.allowed(user, ThreadRight.VIEW).filter(subject_kind=place.kind, subject_id=place.subject).first()
        if thread is None:
            raise CommentRefused(_("Nobody has said anything yet."), remedy=_("Write the first comment."))
        verbs = {Status.RESOLVED: thread.resolve, Status.OPEN: thread.reopen}
        verbs[Status(form.cleaned_data["status"])](actor=user)
        return self.get_back(place.link)
