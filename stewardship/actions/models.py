"""Something one person has to do by a date; done with evidence, and verified by somebody else."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from stewardship.access import require
from stewardship.actions.errors import ActionRefused, OwnWork
from stewardship.actions.rights import ActionRight
from stewardship.journal.acting import acting, moment
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.people.models import User


class Status(models.TextChoices):
    """Where an action stands."""

    OPEN = "open", _("Open")
    DONE = "done", _("Done, to be verified")
    VERIFIED = "verified", _("Verified")
    CANCELLED = "cancelled", _("Cancelled")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.DONE, Status.CANCELLED}),
    Status.DONE: frozenset({Status.VERIFIED, Status.OPEN}),
    Status.VERIFIED: frozenset({Status.OPEN}),
    Status.CANCELLED: frozenset({Status.OPEN}),
}
TONES = {Status.OPEN: "watch", Status.DONE: "info", Status.VERIFIED: "good", Status.CANCELLED: "neutral"}


class ActionQuerySet(GovernedQuerySet):
    """Words for actions."""

    def open(self) -> Self:
        """Still to be done."""
        return self.filter(status=Status.OPEN)

    def overdue(self, at: datetime) -> Self:
        """Still to be done, and late."""
        return self.open().filter(due_at__lt=at)

    def waiting_for(self, user: User) -> Self:
        """What this person has to do or to verify."""
        return self.filter(Q(owner=user, status=Status.OPEN) | Q(verifier=user, status=Status.DONE))


class Action(Recorded):
    """A remediation, follow-up or promise with an owner and a date."""

    title = models.CharField(_("what"), max_length=200)
    detail = models.TextField(_("detail"), blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="actions", verbose_name=_("owner"))
    verifier = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("verified by")
    )
    due_at = models.DateTimeField(_("due"))
    region = models.ForeignKey("stewardship.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    model = models.ForeignKey(
        "stewardship.RegisteredModel", on_delete=models.PROTECT, null=True, blank=True, related_name="actions", verbose_name=_("model")
    )
    origin_kind = models.CharField(_("came from"), max_length=40, blank=True)
    origin_id = models.UUIDField(_("came from which"), null=True, blank=True)
    origin_label = models.CharField(_("origin"), max_length=200, blank=True)
    origin_link = models.CharField(_("page of the origin"), max_length=500, blank=True)
    evidence = models.TextField(_("evidence"), blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("done by")
    )
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)

    objects = models.Manager.from_queryset(ActionQuerySet)()

    access_paths: ClassVar[Paths] = Paths(
        region=("region_id",), family=("model__family_id",), model=("model_id",), person=("owner_id", "verifier_id")
    )
    view_right: ClassVar[str] = ActionRight.VIEW

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["due_at"]
        constraints = [
            models.CheckConstraint(condition=Q(verifier__isnull=True) | ~Q(verifier=F("owner")), name="nobody_verifies_their_own_action"),
            models.CheckConstraint(condition=~Q(status="done") | ~Q(evidence=""), name="an_action_is_done_with_evidence"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def tone(self) -> str:
        """The meaning of the status chip."""
        return TONES[Status(self.status)]

    def complete(self, *, actor: User, evidence: str) -> None:
        """Say that it is done, and how one can see it. Raises ActionRefused without evidence, IllegalTransition."""
        require(actor, ActionRight.CLOSE, self)
        if not evidence.strip():
            raise ActionRefused(
                gettext("Say how one can see that it is done."), field="evidence", remedy=gettext("Describe or link the evidence.")
            )
        with transaction.atomic(), acting(actor):
            self._lock(Status.DONE)
            if self.owner_id != actor.pk and self.verifier_id == actor.pk:
                raise OwnWork(gettext("You verify this action, so you cannot also complete it."), remedy=gettext("The owner completes it."))
            self.evidence, self.done_at, self.done_by = evidence.strip(), moment(), actor
            self._save("evidence", "done_at", "done_by")

    def verify(self, *, actor: User, comment: str = "") -> None:
        """Confirm the evidence. Raises OwnWork for the owner and for whoever completed it."""
        require(actor, ActionRight.VERIFY, self)
        with transaction.atomic(), acting(actor, comment):
            self._lock(Status.VERIFIED)
            if actor.pk in (self.owner_id, self.done_by_id):
                raise OwnWork(gettext("You did this yourself."), remedy=gettext("Somebody else verifies it."))
            self.verifier, self.verified_at = actor, moment()
            self._save("verifier", "verified_at")

    def reopen(self, *, actor: User, reason: str) -> None:
        """It is not done after all; the evidence given stays in the history."""
        self._with_reason(reason)
        require(actor, ActionRight.VERIFY, self)
        with transaction.atomic(), acting(actor, reason):
            self._lock(Status.OPEN)
            self.done_at = self.verified_at = self.done_by = None
            self._save("done_at", "verified_at", "done_by")

    def cancel(self, *, actor: User, reason: str) -> None:
        """It need not be done. Only somebody with the right to assign actions here says so, not the owner as such."""
        self._with_reason(reason)
        require(actor, ActionRight.OPEN, self.model or self.region)
        with transaction.atomic(), acting(actor, reason):
            self._lock(Status.CANCELLED)
            self._save()

    def _with_reason(self, reason: str) -> None:
        if not reason.strip():
            raise ActionRefused(gettext("Say why."), field="reason", remedy=gettext("Enter a reason."))

    def _lock(self, to: Status) -> None:
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))
        if to not in TRANSITIONS[Status(self.status)]:
            raise IllegalTransition(str(Status(self.status).label), str(to.label), remedy=gettext("Reload the page."))
        self.status = to

    def _save(self, *fields: str) -> None:
        self.save(update_fields=["status", *fields])
