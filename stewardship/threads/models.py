"""The discussion of one governed object: comments are written once, the thread is open or settled."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from stewardship.access import require
from stewardship.journal.acting import acting
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact, GovernedQuerySet, Recorded
from stewardship.people.models import User
from stewardship.threads.rights import ThreadRight


class Status(models.TextChoices):
    """Whether the discussion still waits for something."""

    OPEN = "open", _("Open")
    RESOLVED = "resolved", _("Settled")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.RESOLVED}),
    Status.RESOLVED: frozenset({Status.OPEN}),
}


class Thread(Recorded):
    """One discussion a subject, found by kind and id so that every floor can have one."""

    subject_kind = models.CharField(_("about"), max_length=40)
    subject_id = models.UUIDField(_("about which"))
    region = models.ForeignKey("stewardship.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    model = models.ForeignKey(
        "stewardship.RegisteredModel", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("model")
    )
    link = models.CharField(_("page"), max_length=500, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)

    objects = models.Manager.from_queryset(GovernedQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = ThreadRight.VIEW

    class Meta:
        verbose_name = _("discussion")
        verbose_name_plural = _("discussions")
        constraints = [models.UniqueConstraint(fields=["subject_kind", "subject_id"], name="one_thread_per_subject")]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id}"

    def resolve(self, *, actor: User, reason: str = "") -> None:
        """Nothing is waited for any more."""
        self._move(Status.RESOLVED, actor=actor, reason=reason)

    def reopen(self, *, actor: User, reason: str = "") -> None:
        """Something is, after all."""
        self._move(Status.OPEN, actor=actor, reason=reason)

    def _move(self, to: Status, *, actor: User, reason: str) -> None:
        require(actor, ThreadRight.COMMENT, self)
        with transaction.atomic():
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))
            if to not in TRANSITIONS[Status(self.status)]:
                raise IllegalTransition(str(Status(self.status).label), str(to.label), remedy=gettext("Reload the page."))
            self.status = to
            with acting(actor, reason):
                self.save(update_fields=["status"])


class Comment(Fact):
    """What somebody said. Part of the record: it is answered, never edited."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="comments", verbose_name=_("discussion"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("author"))
    text = models.TextField(_("text"))
    mentioned = DocumentField(_("mentioned"), default=list)  # ids of the people who were told

    objects = models.Manager.from_queryset(GovernedQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("thread__region_id",), family=("thread__model__family_id",), model=("thread__model_id",))
    view_right: ClassVar[str] = ThreadRight.VIEW
    journal_object: ClassVar[str] = "thread_id"
    personal: ClassVar[frozenset[str]] = frozenset({"text"})

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.text[:60]
