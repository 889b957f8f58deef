"""A place where nobody answers for something, open until somebody does."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from stewardship.access import require
from stewardship.coverage.errors import GapRefused
from stewardship.coverage.rights import GapRight
from stewardship.escalation import follow
from stewardship.journal.acting import acting, moment
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.people.models import User

SUBJECT = "gap"  # the kind under which paths for gaps are configured


class Kind(models.TextChoices):
    """What is missing; other slices may open gaps of kinds of their own."""

    NO_ACCOUNTABLE = "no_accountable", _("Nobody accountable")
    VACANT_ROLE = "vacant_role", _("Role vacant")
    NO_PATH = "no_path", _("No escalation path")
    UNANSWERED = "unanswered", _("Escalation without an answer")


class Status(models.TextChoices):
    """Whether it is still missing."""

    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


TRANSITIONS: dict[Status, frozenset[Status]] = {Status.OPEN: frozenset({Status.CLOSED}), Status.CLOSED: frozenset()}


class GapQuerySet(GovernedQuerySet):
    """Words for gaps."""

    def open(self) -> Self:
        """Still missing."""
        return self.filter(status=Status.OPEN)


class Gap(Recorded):
    """What is missing, for what, where, since when. While it is open the same gap is not opened again."""

    key = models.CharField(_("key"), max_length=200, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    subject_kind = models.CharField(_("about"), max_length=40)
    subject_id = models.UUIDField(_("about which"))
    label = models.CharField(_("what is missing"), max_length=200)
    region = models.ForeignKey("stewardship.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    model = models.ForeignKey(
        "stewardship.RegisteredModel", on_delete=models.PROTECT, null=True, blank=True, related_name="gaps", verbose_name=_("model")
    )
    role = models.ForeignKey("stewardship.Role", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("role"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField(_("open since"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = models.Manager.from_queryset(GapQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = GapRight.VIEW

    class Meta:
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(status="open"), name="one_open_gap_per_key"),
            models.CheckConstraint(condition=Q(status="open") | Q(closed_at__isnull=False), name="a_closed_gap_says_when"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def kind_label(self) -> str:
        """The kind in words; a kind of another slice stands for itself."""
        return str(Kind(self.kind).label) if self.kind in Kind.values else self.kind.replace("_", " ")

    @property
    def tone(self) -> str:
        """The meaning of the status chip."""
        return "act" if self.status == Status.OPEN else "neutral"

    def close(self, *, actor: User, reason: str) -> None:
        """Somebody answers again; whoever was being called about it need not come. Raises GapRefused, IllegalTransition."""
        require(actor, GapRight.CLOSE, self)
        if not reason.strip():
            raise GapRefused(gettext("Say who answers now."), field="reason", remedy=gettext("Enter a reason."))
        with transaction.atomic(), acting(actor, reason):
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update(of=("self",)))
            if Status.CLOSED not in TRANSITIONS[Status(self.status)]:
                raise IllegalTransition(str(Status(self.status).label), str(Status.CLOSED.label), remedy=gettext("Reload the page."))
            self.status, self.closed_at = Status.CLOSED, moment()
            self.save(update_fields=["status", "closed_at"])
            follow.settled(SUBJECT, self.pk, actor=actor, reason=reason)
