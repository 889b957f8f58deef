"""RouteRule is the definition; Route, Stage, Requirement are one run of it, frozen; Decision is what a person signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from governance.approvals import rules
from governance.approvals.errors import NotSigned
from governance.approvals.rights import DecisionRight, RouteRight
from governance.changes.models import ChangeRequest, Kind
from governance.policies.vocabulary import compile_known
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Demand, Fact, GovernedQuerySet, Recorded
from stewardship.signing.models import Signature

SUBJECT = "change"  # what the signature of a decision is about


def paths(to_change: str) -> Paths:
    """How a row that hangs on a change leads to scopes; `to_change` ends in two underscores."""
    return Paths(
        region=(f"{to_change}model__region_id", f"{to_change}region_id"),
        family=(f"{to_change}model__family_id",),
        model=(f"{to_change}model_id",),
    )


class RouteRule(Recorded):
    """Which changes need whose agreement, in one region and below it; the nearest region decides."""

    region = models.ForeignKey("stewardship.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    kind = models.CharField(_("kind of change"), max_length=16, choices=Kind)
    name = models.CharField(_("name"), max_length=120)
    when = models.TextField(_("when"), blank=True, help_text=_("A condition over the facts; empty means always. Example: model.tier <= 2"))
    priority = models.IntegerField(_("priority"), default=0, help_text=_("Among the rules of one region the highest is tried first."))
    human = models.BooleanField(_("people decide"), default=True, help_text=_("Off: no person is asked, and every record says so."))
    stages = DocumentField(_("stages"), default=list, blank=True)
    review_days = models.PositiveSmallIntegerField(
        _("days until a review lapses"),
        null=True,
        blank=True,
        help_text=_("Undecided after so many days, the change expires. Empty: never."),
    )
    valid_days = models.PositiveSmallIntegerField(
        _("days an approval lasts"), null=True, blank=True, help_text=_("Not carried out by then, an approval expires. Empty: never.")
    )
    active = models.BooleanField(_("active"), default=True)

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = RouteRight.VIEW

    class Meta:
        verbose_name = _("route rule")
        verbose_name_plural = _("route rules")
        ordering = ["kind", "-priority", "name"]
        constraints = [models.UniqueConstraint(name="route_rule_name", fields=["region", "kind", "name"])]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; raises Invalid on a condition or stages that cannot be read."""
        if self.when.strip():
            compile_known(self.when)
        rules.read_stages(self.stages, human=self.human)
        super().save(*args, **kwargs)


class RouteQuerySet(GovernedQuerySet):
    def running(self) -> Self:
        return self.filter(status=Route.Status.RUNNING)


class Route(Recorded):
    """Who must agree to one revision of one change, frozen when it was submitted."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        AGREED = "agreed", _("Agreed")
        RETURNED = "returned", _("Returned")
        REJECTED = "rejected", _("Rejected")
        SUPERSEDED = "superseded", _("Superseded by an edit")
        ENDED = "ended", _("Ended")

    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="routes", verbose_name=_("change"))
    revision = models.PositiveIntegerField(_("revision"))
    rule = models.ForeignKey(RouteRule, on_delete=models.PROTECT, related_name="+", verbose_name=_("rule"))
    evaluation = models.ForeignKey("governance.Evaluation", on_delete=models.PROTECT, related_name="+", verbose_name=_("evaluation"))
    human = models.BooleanField(_("people decide"))
    frozen = DocumentField(_("frozen rule"))
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(_("started"))
    lapses_at = models.DateTimeField(_("lapses"), null=True)

    objects = models.Manager.from_queryset(RouteQuerySet)()
    access_paths: ClassVar[Paths] = paths("change__")
    view_right: ClassVar[str] = RouteRight.VIEW

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ["-revision"]
        constraints = [
            models.UniqueConstraint(name="route_one_per_revision", fields=["change", "revision"]),
            models.UniqueConstraint(name="route_one_running", fields=["change"], condition=Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"{self.change.reference} r{self.revision}: {self.frozen.get('name', '')}"


ROUTE_TRANSITIONS: dict[Route.Status, frozenset[Route.Status]] = {
    Route.Status.RUNNING: frozenset(set(Route.Status) - {Route.Status.RUNNING}),
}


class Stage(Recorded):
    """One step of a route; its requirements are asked at the same time."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Not yet")
        ACTIVE = "active", _("Being asked")
        AGREED = "agreed", _("Agreed")
        ENDED = "ended", _("Ended")

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="stages", verbose_name=_("route"))
    order = models.PositiveSmallIntegerField(_("order"))
    name = models.CharField(_("name"), max_length=120)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    access_paths: ClassVar[Paths] = paths("route__change__")
    view_right: ClassVar[str] = RouteRight.VIEW

    class Meta:
        verbose_name = pgettext_lazy("route", "stage")
        verbose_name_plural = _("stages")
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(name="stage_order", fields=["route", "order"]),
            models.UniqueConstraint(name="stage_one_active", fields=["route"], condition=Q(status="active")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def same_people(self) -> bool:
        """Whether those who agreed in an earlier stage may agree here too, as the frozen rule says."""
        return bool(self.route.frozen["stages"][self.order].get("same_people"))


STAGE_TRANSITIONS: dict[Stage.Status, frozenset[Stage.Status]] = {
    Stage.Status.WAITING: frozenset({Stage.Status.ACTIVE, Stage.Status.ENDED}),
    Stage.Status.ACTIVE: frozenset({Stage.Status.AGREED, Stage.Status.ENDED}),
}


class RequirementQuerySet(GovernedQuerySet):
    def asked(self) -> Self:
        """Of the stage that is being asked now, and not yet met."""
        return self.filter(stage__status=Stage.Status.ACTIVE, met_at__isnull=True, stage__route__status=Route.Status.RUNNING)

    def overdue(self, at: datetime) -> Self:
        return self.asked().filter(due_at__lte=at, escalated_at__isnull=True)


class Requirement(Recorded):
    """So many holders of a role at a scope must agree; who holds it is asked late."""

    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="requirements", verbose_name=pgettext_lazy("route", "stage"))
    role = models.ForeignKey("stewardship.Role", on_delete=models.PROTECT, related_name="+", verbose_name=_("role"))
    scope = models.CharField(_("scope"), max_length=8, choices=[(scope.value, scope.value) for scope in rules.Scope])
    quorum = models.PositiveSmallIntegerField(_("quorum"), default=1)
    within_minutes = models.PositiveIntegerField(_("within working minutes"), default=0)
    due_at = models.DateTimeField(_("due"), null=True)
    escalated_at = models.DateTimeField(_("escalated"), null=True)
    met_at = models.DateTimeField(_("met"), null=True)

    objects = models.Manager.from_queryset(RequirementQuerySet)()
    access_paths: ClassVar[Paths] = paths("stage__route__change__")
    view_right: ClassVar[str] = RouteRight.VIEW

    class Meta:
        verbose_name = _("requirement")
        verbose_name_plural = _("requirements")
        ordering = ["stage", "id"]
        indexes = [models.Index(fields=["due_at"], name="requirement_due", condition=Q(escalated_at__isnull=True, met_at__isnull=True))]
        constraints = [models.CheckConstraint(name="requirement_quorum", condition=Q(quorum__gte=1))]

    def __str__(self) -> str:
        return f"{self.quorum} × {self.role}"


class Decision(Fact):
    """What one person decided on one exact content, and the signature that proves it."""

    class Outcome(models.TextChoices):
        APPROVE = "approve", _("Approved")
        RETURN = "return", _("Returned")
        REJECT = "reject", _("Rejected")

    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("change"))
    revision = models.PositiveIntegerField(_("revision"))
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="decisions", verbose_name=pgettext_lazy("route", "stage"))
    requirement = models.ForeignKey(Requirement, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("requirement"))
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    acting_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("standing in for"), null=True
    )
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    comment = models.TextField(_("comment"), blank=True)
    digest = models.CharField(_("content digest"), max_length=64)
    signature = models.OneToOneField("stewardship.Signature", on_delete=models.PROTECT, related_name="+", verbose_name=_("signature"))

    access_paths: ClassVar[Paths] = paths("change__")
    journal_object: ClassVar[str] = "change_id"
    view_right: ClassVar[str] = DecisionRight.VIEW
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            "signed",
            "a decision must be what its person signed: that change, content and outcome",
            "EXISTS (SELECT 1 FROM stewardship_signature s WHERE s.id = NEW.signature_id "
            "AND s.subject_kind = 'change' AND s.subject_id = NEW.change_id "
            "AND s.signer_id = NEW.person_id AND s.digest = NEW.digest AND s.meaning = NEW.outcome)",
        ),
    )

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(name="decision_once", fields=["change", "revision", "requirement", "person"]),
            # One person fills one seat of a stage, whatever roles they hold.
            models.UniqueConstraint(name="decision_one_seat", fields=["stage", "person"]),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.get_outcome_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; raises NotSigned unless it is what its person signed. The guards demand the same of whoever inserts."""
        if self._state.adding and not self._is_what_was_signed():
            raise NotSigned(
                gettext("This decision is not what was signed."),
                field="signature",
                remedy=gettext("Reload the page, see what is new, and decide on that."),
            )
        super().save(*args, **kwargs)

    def _is_what_was_signed(self) -> bool:
        return Signature.objects.filter(
            pk=self.signature_id,
            subject_kind=SUBJECT,
            subject_id=self.change_id,
            signer_id=self.person_id,
            digest=self.digest,
            meaning=self.outcome,
        ).exists()
