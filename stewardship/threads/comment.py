"""Say something about a governed object."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from stewardship.access import allowed_to, require
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.notices.send import send
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.threads.errors import CommentRefused
from stewardship.threads.models import Comment, Status, Thread
from stewardship.threads.rights import ThreadRight
from stewardship.threads.rules import mentions

CAUSE = "comment"
LONGEST = 10_000  # characters


def comment(
    *, actor: User, subject_kind: str, subject_id: UUID, model: RegisteredModel | None, region: Region, text: str, link: str = ""
) -> Comment:
    """Write a comment and tell those it mentions as @username, if they may read it. `link` is the page it stands on.

    A comment reopens a settled discussion. Raises CommentRefused, Forbidden.
    """
    said = text.strip()
    if not said:
        raise CommentRefused(_("The comment is empty."), field="text", remedy=_("Write something, then send it."))
    if len(said) > LONGEST:
        raise CommentRefused(
            _("The comment is longer than %(longest)d characters.") % {"longest": LONGEST},
            field="text",
            remedy=_("Attach a document instead."),
        )
    require(actor, ThreadRight.COMMENT, model or region)
    with transaction.atomic(), acting(actor):
        thread, _made = Thread.objects.get_or_create(
            subject_kind=subject_kind, subject_id=subject_id, defaults={"region": region, "model": model, "link": link}
        )
        require(actor, ThreadRight.COMMENT, thread)  # the thread's own scope decides, whatever the caller said it was
        if thread.status == Status.RESOLVED:
            thread.reopen(actor=actor)
        named = User.objects.active().filter(username__in=mentions(said)).exclude(pk=actor.pk)
        told = [person for person in named if allowed_to(person, ThreadRight.VIEW, thread)]
        written = Comment(thread=thread, author=actor, text=said, mentioned=[str(person.pk) for person in told])
        written.save()
        send(
            cause_kind=CAUSE,
            cause_id=written.pk,
            step="mention",
            recipients=told,
            subject=lambda reader: _("%(name)s mentions you in a discussion") % {"name": actor.full_name or actor.username},
            body=said,
            link=thread.link,
        )
    return written
