"""Facts that nobody could place: visible, kept whole, and waiting for a person."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from monitoring.signals.models.facts import Batch
from monitoring.signals.models.sources import Source
from monitoring.signals.rights import SourceRight
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded


class Status(models.TextChoices):
    """What became of a fact in quarantine."""

    WAITING = "waiting", _("waiting")
    PLACED = "placed", _("placed")
    DISMISSED = "dismissed", _("dismissed")


TRANSITIONS: dict[Status, frozenset[Status]] = {Status.WAITING: frozenset({Status.PLACED, Status.DISMISSED})}


class QuarantinedQuerySet(GovernedQuerySet):
    """Facts in quarantine, by whether they still wait."""

    def waiting(self) -> Self:
        return self.filter(status=Status.WAITING)


class Quarantined(Recorded):
    """One fact that names a model, version, region or metric we do not know. Never dropped, never guessed."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="quarantined", verbose_name=_("source"))
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="in_quarantine", verbose_name=_("batch"))
    external_id = models.CharField(_("identity at the source"), max_length=200)
    fact = DocumentField(_("the fact"))
    field = models.CharField(_("what is not known"), max_length=40)
    problem = models.TextField(_("why"))
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.WAITING)
    received_at = models.DateTimeField(_("received"))
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = models.Manager.from_queryset(QuarantinedQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("source__region_id",))
    view_right: ClassVar[str] = SourceRight.VIEW

    class Meta:
        verbose_name = _("signal in quarantine")
        verbose_name_plural = _("signals in quarantine")
        ordering = ["-received_at", "id"]
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="signals_quarantined_once")]
        indexes = [models.Index(fields=["status", "-received_at"])]

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"
