"""The one mechanism that waits: a row with the moment at which it is due."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TimerQuerySet(models.QuerySet["Timer"]):
    """Words for timers."""

    def due(self, at: datetime) -> Self:
        """Waiting, and their moment has come."""
        return self.filter(state=Timer.State.PENDING, due_at__lte=at)


class Timer(models.Model):
    """A call that will be made, or (one position after the last step) the end of the path. Plain: what it did is a RunEvent."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        FIRED = "fired", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey("stewardship.Run", on_delete=models.PROTECT, related_name="timers", verbose_name=_("escalation"))
    generation = models.PositiveIntegerField(_("round"))
    step = models.PositiveSmallIntegerField(_("step"))
    loop = models.PositiveIntegerField(_("repetition"), default=0)
    due_at = models.DateTimeField(_("due"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    fired_at = models.DateTimeField(_("done at"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failed attempts"), default=0)

    objects: Any = models.Manager.from_queryset(TimerQuerySet)()

    class Meta:
        verbose_name = _("timer")
        verbose_name_plural = _("timers")
        constraints = [
            models.UniqueConstraint(fields=["run", "generation", "step", "loop"], name="one_timer_per_round_step_and_repetition"),
            # Both together make "never called twice at once" true even if the code were wrong.
            models.UniqueConstraint(fields=["run"], condition=Q(state="pending"), name="one_waiting_timer_per_run"),
        ]
        indexes = [models.Index(fields=["due_at"], name="timer_waiting", condition=Q(state="pending"))]

    def __str__(self) -> str:
        return f"{self.run_id} {self.generation}.{self.step}.{self.loop}"
