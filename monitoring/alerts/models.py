"""An alert: one episode of something being wrong, from the moment it opened to the outcome a person gave it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from monitoring.alerts.errors import OutcomeMissing, ReasonMissing
from monitoring.alerts.rights import AlertRight
from monitoring.signals.models import Series, Source
from monitoring.thresholds.models import LevelChoice, Rule
from stewardship.access import require
from stewardship.escalation import follow
from stewardship.inventory.models import Environment, ModelVersion, RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.regions.models import Region

if TYPE_CHECKING:
    from stewardship.people.models import User

SUBJECT = "alert"  # the kind under which escalations know it
RANKS: dict[str, int] = {level: rank for rank, level in enumerate(LevelChoice.values)}


class Kind(models.TextChoices):
    """Who says that something is wrong."""

    THRESHOLD = "threshold", _("beyond a threshold")
    EXTERNAL = "external", _("reported by a source")
    SILENCE = "silence", _("no data")


class Status(models.TextChoices):
    """Where people stand with it."""

    OPEN = "open", _("open")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    INVESTIGATING = "investigating", _("under investigation")
    RESOLVED = "resolved", _("resolved")


class Resolution(models.TextChoices):
    """What it was, in the end."""

    FIXED = "fixed", _("fixed")
    FALSE_ALARM = "false_alarm", _("false alarm")
    ACCEPTED = "accepted", _("accepted as it is")
    SOURCE = "source", _("ended by itself, not judged by anybody yet")


BY_PEOPLE = (Resolution.FIXED, Resolution.FALSE_ALARM, Resolution.ACCEPTED)

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.ACKNOWLEDGED, Status.INVESTIGATING, Status.RESOLVED}),
    # Open again: it rose to a level that nobody has acknowledged yet.
    Status.ACKNOWLEDGED: frozenset({Status.OPEN, Status.INVESTIGATING, Status.RESOLVED}),
    Status.INVESTIGATING: frozenset({Status.OPEN, Status.RESOLVED}),
    Status.RESOLVED: frozenset(),  # what comes back is a new episode
}


class AlertQuerySet(GovernedQuerySet):
    """Alerts, by what people still have to do."""

    def unresolved(self) -> Self:
        return self.exclude(status=Status.RESOLVED)

    def unacknowledged(self) -> Self:
        return self.filter(status=Status.OPEN)

    def of_cause(self, cause: str) -> Self:
        return self.filter(cause=cause)

    def unjudged(self) -> Self:
        """Ended by themselves, and nobody has said what they were."""
        return self.filter(status=Status.RESOLVED, resolution=Resolution.SOURCE)


class Alert(Recorded):
    """One episode. Signals of the same cause belong to it until it is resolved; then the next one begins."""

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    # What is wrong, however often it is said; one unresolved alert per cause.
    cause = models.CharField(_("cause"), max_length=260)
    episode = models.PositiveIntegerField(_("episode"), default=1)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("model"))
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("version"))
    environment = models.ForeignKey(Environment, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("environment"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("region"))
    series = models.ForeignKey(Series, null=True, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("series"))
    rule = models.ForeignKey(Rule, null=True, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("rule"))
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("source"))
    external_key = models.CharField(_("episode at the source"), max_length=200, blank=True)
    level = models.CharField(_("level"), max_length=12, choices=LevelChoice)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.OPEN)
    title = models.TextField(_("what is wrong"))
    next_action = models.TextField(_("next action"), blank=True)
    context = DocumentField(_("context"), default=dict)
    began_at = models.DateTimeField(_("wrong since"))
    opened_at = models.DateTimeField(_("opened"))
    cleared_at = models.DateTimeField(_("within bounds again since"), null=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("acknowledged by")
    )
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    resolution = models.CharField(_("outcome"), max_length=12, choices=Resolution, blank=True)
    resolution_reason = models.TextField(_("why"), blank=True)

    objects = models.Manager.from_queryset(AlertQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id", "model__region_id"), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = AlertRight.VIEW

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["cause"], condition=~Q(status="resolved"), name="alerts_one_unresolved_per_cause"),
            models.UniqueConstraint(fields=["cause", "episode"], name="alerts_episode_once"),
            models.CheckConstraint(
                condition=~Q(status="resolved") | (Q(resolved_at__isnull=False) & ~Q(resolution="")), name="alerts_resolved_says_how"
            ),
        ]
        indexes = [models.Index(fields=["status", "-opened_at"]), models.Index(fields=["model", "-opened_at"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The alert's page."""
        return reverse("alert_detail", args=[self.pk])

    @property
    def rank(self) -> int:
        """0 (observe) to 2 (act)."""
        return RANKS[self.level]

    @property
    def is_resolved(self) -> bool:
        """Whether the episode is over."""
        return self.status == Status.RESOLVED

    def acknowledge(self, *, actor: User, reason: str = "") -> None:
        """Take it on; nobody else is called about this level."""
        require(actor, AlertRight.ACKNOWLEDGE, self)
        with transaction.atomic():
            self._lock(Status.ACKNOWLEDGED)
            self.acknowledged_at, self.acknowledged_by = moment(), actor
            self._move(Status.ACKNOWLEDGED, actor=actor, reason=reason)
            follow.acknowledged(SUBJECT, self.pk, actor=actor, reason=reason)

    def taken_on(self, user: User | None, *, level: str, at: datetime | None, actor: User) -> bool:
        """Somebody acknowledged the escalation about this level, where they were asked for the right to do so.

        False, and nothing done, when it has risen since: an answer is an answer to the level that was called about.
        """
        with transaction.atomic():
            self._lock(Status.ACKNOWLEDGED)
            if self.level != level:
                return False
            self.acknowledged_at, self.acknowledged_by = at, user
            self._move(Status.ACKNOWLEDGED, actor=actor, reason=gettext("Acknowledged on the escalation."))
        return True

    def investigate(self, *, actor: User, reason: str) -> None:
        """Open a formal investigation; `reason` says what is suspected."""
        require(actor, AlertRight.INVESTIGATE, self)
        if not reason.strip():
            raise ReasonMissing(
                gettext("Say what you suspect."), field="reason", remedy=gettext("One sentence is enough; it can turn out wrong.")
            )
        with transaction.atomic():
            self._lock(Status.INVESTIGATING)
            if self.acknowledged_at is None:
                self.acknowledged_at, self.acknowledged_by = moment(), actor
            self._move(Status.INVESTIGATING, actor=actor, reason=reason)
            follow.acknowledged(SUBJECT, self.pk, actor=actor, reason=reason)

    def resolve(self, *, actor: User, outcome: str, reason: str) -> None:
        """Close the episode and say what it was. After a source ended it, this is the person's own judgement of it."""
        require(actor, AlertRight.RESOLVE, self)
        if outcome not in BY_PEOPLE:
            choices = ", ".join(str(choice.label) for choice in BY_PEOPLE)
            raise OutcomeMissing(
                gettext("Say what it was."), field="outcome", remedy=gettext("Choose one of: %(choices)s.") % {"choices": choices}
            )
        if not reason.strip():
            raise ReasonMissing(gettext("Say why."), field="reason", remedy=gettext("One sentence: what was found, what was done."))
        with transaction.atomic():
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))
            if self.resolution in BY_PEOPLE:
                raise IllegalTransition(
                    self.get_resolution_display(), str(Resolution(outcome).label), remedy=gettext("Somebody has judged it already.")
                )
            self._close(Resolution(outcome), reason, actor=actor)

    def end(self, *, actor: User, reason: str) -> None:
        """It ended by itself or its source says so; a person's outcome, earlier or later, stands above this."""
        with transaction.atomic():
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))
            if self.status != Status.RESOLVED:
                self._close(Resolution.SOURCE, "", actor=actor, why=reason)

    def _close(self, resolution: Resolution, said: str, *, actor: User, why: str = "") -> None:
        if self.resolved_at is None:
            self.resolved_at = moment()
        self.status, self.resolution, self.resolution_reason = Status.RESOLVED, resolution, said
        with acting(actor, said or why):
            self.save(update_fields=["status", "resolved_at", "resolution", "resolution_reason"])
        follow.settled(SUBJECT, self.pk, actor=actor, reason=said or why)

    def _lock(self, to: Status) -> None:
        # Judge the row, not our copy: somebody may have been faster.
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))
        if to not in TRANSITIONS[Status(self.status)]:
            raise IllegalTransition(self.get_status_display(), str(to.label), remedy=gettext("Reload the page to see who was faster."))

    def _move(self, to: Status, *, actor: User, reason: str) -> None:
        self.status = to
        with acting(actor, reason):
            self.save(update_fields=["status", "acknowledged_at", "acknowledged_by"])


def is_wanted(alert_id: UUID) -> bool:
    """Whether somebody still needs to come."""
    return Alert.objects.filter(pk=alert_id, status=Status.OPEN).exists()


def link(alert_id: UUID) -> str:
    """The page of an alert known by its id."""
    return reverse("alert_detail", args=[alert_id])
