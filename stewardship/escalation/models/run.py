"""One escalation under way: a frozen path, and where it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from stewardship.access import require
from stewardship.escalation import messages
from stewardship.escalation.errors import ReasonMissing
from stewardship.escalation.frozen import Frozen, read
from stewardship.escalation.models.event import EventKind, RunEvent
from stewardship.escalation.models.path import Path
from stewardship.escalation.models.timer import Timer
from stewardship.escalation.rights import RunRight
from stewardship.journal.acting import acting, moment
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.people.models import User


class Status(models.TextChoices):
    """Where a run stands."""

    RUNNING = "running", _("Calling")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    STOPPED = "stopped", _("Stopped")
    ENDED = "ended", _("Ended without an answer")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.RUNNING: frozenset({Status.ACKNOWLEDGED, Status.STOPPED, Status.ENDED, Status.RUNNING}),
    Status.ACKNOWLEDGED: frozenset({Status.RUNNING, Status.STOPPED}),  # running again: called on by hand
    Status.ENDED: frozenset({Status.ACKNOWLEDGED, Status.RUNNING, Status.STOPPED}),
    Status.STOPPED: frozenset(),  # a new occasion is a new run, so an old answer cannot close it
}
LIVE = (Status.RUNNING, Status.ACKNOWLEDGED)
TONES = {Status.RUNNING: "act", Status.ACKNOWLEDGED: "watch", Status.STOPPED: "neutral", Status.ENDED: "act"}


class RunQuerySet(GovernedQuerySet):
    """Words for runs."""

    def live(self) -> Self:
        """Calling, or answered and not settled."""
        return self.filter(status__in=LIVE)

    def about(self, kind: str, subject_id: UUID) -> Self:
        """Every run about one subject, newest first."""
        return self.filter(subject_kind=kind, subject_id=subject_id).order_by("-started_at", "-id")


class Run(Recorded):
    """Who is being called about one subject. The row is locked by everything that moves it: firing, answering, stopping."""

    path = models.ForeignKey(Path, on_delete=models.PROTECT, related_name="runs", verbose_name=_("path"))
    frozen = DocumentField(_("path as it was at the start"))
    subject_kind = models.CharField(_("about"), max_length=40)
    subject_id = models.UUIDField(_("about which"))
    label = models.CharField(_("what happened"), max_length=200)
    level = models.CharField(_("level"), max_length=20, blank=True)
    model = models.ForeignKey(
        "stewardship.RegisteredModel", on_delete=models.PROTECT, null=True, blank=True, related_name="runs", verbose_name=_("model")
    )
    region = models.ForeignKey("stewardship.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    generation = models.PositiveIntegerField(_("round"), default=1)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(_("started"))
    answered_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("acknowledged by")
    )

    objects = models.Manager.from_queryset(RunQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = RunRight.VIEW

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"], condition=Q(status__in=["running", "acknowledged"]), name="one_live_run_per_subject"
            ),
            models.CheckConstraint(
                condition=~Q(status="acknowledged") | Q(answered_by__isnull=False, answered_at__isnull=False),
                name="an_acknowledged_run_names_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        """The run's timeline."""
        return reverse("run_detail", args=[self.pk])

    @property
    def steps(self) -> Frozen:
        """The frozen path."""
        return read(self.frozen)

    @property
    def tone(self) -> str:
        """The meaning of the status chip."""
        return TONES[Status(self.status)]

    def acknowledge(self, *, actor: User) -> None:
        """Take it on: nobody else is called. Raises IllegalTransition when somebody was faster or it is over."""
        require(actor, RunRight.ACKNOWLEDGE, self)
        self.answer(actor=actor)

    def answer(self, *, actor: User, reason: str = "") -> None:
        """Acknowledge as part of an act on the subject that the actor was allowed (acknowledging the alert itself)."""
        with transaction.atomic():
            self._lock(Status.ACKNOWLEDGED)
            with acting(actor, reason):
                self.answered_by, self.answered_at = actor, moment()
                self._settle(Status.ACKNOWLEDGED, EventKind.ACKNOWLEDGED)
                messages.tell_answered(self, actor, self.called())

    def stop(self, *, actor: User, reason: str) -> None:
        """Send everybody away, with a reason."""
        require(actor, RunRight.STOP, self)
        if not reason.strip():
            raise ReasonMissing(gettext("Say why nobody needs to come any more."), field="reason", remedy=gettext("Enter a reason."))
        self.settle(actor=actor, reason=reason)

    def settle(self, *, actor: User, reason: str) -> None:
        """Stop because the subject is settled; whether it is, was its own verb's question."""
        with transaction.atomic():
            self._lock(Status.STOPPED)
            with acting(actor, reason):
                self._settle(Status.STOPPED, EventKind.STOPPED)

    def end(self) -> None:
        """The last wait is over and nobody answered. Called by the firing, which holds the lock and acts."""
        self._settle(Status.ENDED, EventKind.ENDED)

    def call_on(self, step: int, due_at: datetime) -> Timer:
        """Open a new round from this step. Called by by_hand, which holds the lock and acts."""
        self.cancel_timers()
        self.generation += 1
        self.status = Status.RUNNING
        self.answered_by = self.answered_at = None
        self.save(update_fields=["generation", "status", "answered_by", "answered_at"])
        self.note(EventKind.BY_HAND, step=step)
        timer: Timer = Timer.objects.create(run=self, generation=self.generation, step=step, loop=0, due_at=due_at)
        return timer

    def called(self) -> list[User]:
        """Everybody who was reached in this round."""
        events = self.events.filter(kind=EventKind.CALLED, generation=self.generation)
        ids = {each["user"] for event in events for each in event.reached}
        return list(User.objects.filter(pk__in=ids))

    def note(self, kind: EventKind, **facts: Any) -> RunEvent:
        """Write one event of this run."""
        event = RunEvent(run=self, kind=kind, generation=self.generation, **facts)
        event.save()
        return event

    def cancel_timers(self) -> None:
        """No call that is still waiting will be made."""
        Timer.objects.filter(run=self, state=Timer.State.PENDING).update(state=Timer.State.CANCELLED)

    def _lock(self, to: Status) -> None:
        # Firing locks the run before its timer too: an answer and a call cannot deadlock, and whoever is second sees the other.
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))
        if to not in TRANSITIONS[Status(self.status)]:
            raise IllegalTransition(str(Status(self.status).label), str(to.label), remedy=gettext("Reload the page to see who was faster."))

    def _settle(self, to: Status, kind: EventKind) -> None:
        self.status = to
        self.cancel_timers()
        self.save(update_fields=["status", "answered_by", "answered_at"])
        self.note(kind)
