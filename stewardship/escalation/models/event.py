"""What happened in a run, one append-only row each: history, notification and statistics read the same rows."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.escalation.rights import RunRight
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact, GovernedQuerySet


class EventKind(models.TextChoices):
    """The kinds of events of a run."""

    STARTED = "started", _("Started")
    CALLED = "called", _("Called")
    VACANT = "vacant", _("Nobody to call")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    BY_HAND = "by_hand", _("Called on by hand")
    STOPPED = "stopped", _("Stopped")
    ENDED = "ended", _("Ended without an answer")


class RunEvent(Fact):
    """One event: what, by whom (`actor_id`), when (`at`), and for a call who was reached and when the next is due."""

    run = models.ForeignKey("stewardship.Run", on_delete=models.PROTECT, related_name="events", verbose_name=_("escalation"))
    kind = models.CharField(_("event"), max_length=12, choices=EventKind)
    generation = models.PositiveIntegerField(_("round"))
    step = models.PositiveSmallIntegerField(_("step"), null=True)
    loop = models.PositiveIntegerField(_("repetition"), default=0)
    role = models.CharField(_("role"), max_length=120, blank=True)
    channel = models.CharField(_("channel"), max_length=10, blank=True)
    # [{"user": id, "acting_for": id or null}]: ids only, names are personal and are looked up when shown.
    reached = DocumentField(_("reached"), default=list)
    next_due_at = models.DateTimeField(_("next call due"), null=True)

    objects = models.Manager.from_queryset(GovernedQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("run__region_id",), family=("run__model__family_id",), model=("run__model_id",))
    view_right: ClassVar[str] = RunRight.VIEW
    journal_object: ClassVar[str] = "run_id"

    class Meta:
        verbose_name = _("escalation event")
        verbose_name_plural = _("escalation events")
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "generation", "step", "loop"],
                condition=Q(kind__in=["called", "vacant"]),
                name="one_call_per_round_step_and_repetition",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.run_id}"
