"""ChangeRequest, its rollback plan, and what each revision said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import Conflict, IllegalTransition, Invalid
from config.portal.permission import Paths
from governance.changes import content, criteria, hooks
from governance.changes.errors import AlreadyInReview
from governance.changes.rights import ChangeRight
from governance.changes.traced import OriginKind, trace
from stewardship.access import require
from stewardship.journal.acting import acting, moment
from stewardship.journal.canonical import digest as canonical_digest
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact, GovernedQuerySet, Recorded

if TYPE_CHECKING:
    from stewardship.people.models import User


class Kind(models.TextChoices):
    DEPLOYMENT = "deployment", _("Deployment")
    RETRAINING = "retraining", _("Retraining")
    ROLLBACK = "rollback", _("Rollback")
    WAIVER = "waiver", _("Waiver")


# The kinds that put a version into an environment of a region: only these can be the ground of a permit.
TARGETED: frozenset[str] = frozenset({Kind.DEPLOYMENT, Kind.RETRAINING, Kind.ROLLBACK})


class Status(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("In review")
    RETURNED = "returned", _("Returned")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")
    IMPLEMENTED = "implemented", _("Implemented")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.SUBMITTED, Status.WITHDRAWN}),
    Status.SUBMITTED: frozenset({Status.RETURNED, Status.APPROVED, Status.REJECTED, Status.WITHDRAWN, Status.EXPIRED}),
    Status.RETURNED: frozenset({Status.SUBMITTED, Status.WITHDRAWN, Status.EXPIRED}),
    Status.APPROVED: frozenset({Status.IMPLEMENTED, Status.WITHDRAWN, Status.EXPIRED}),
}
TONES: dict[str, tuple[str, str]] = {  # status: (tone, icon) of its chip
    Status.DRAFT: ("neutral", ""),
    Status.SUBMITTED: ("info", "watch"),
    Status.RETURNED: ("watch", ""),
    Status.APPROVED: ("good", "check"),
    Status.REJECTED: ("act", "cross"),
    Status.WITHDRAWN: ("neutral", ""),
    Status.EXPIRED: ("watch", "watch"),
    Status.IMPLEMENTED: ("good", "check"),
}
ASKED: frozenset[str] = frozenset({*content.WRITTEN, "version", "environment", "region", "owner"})
PLANNED: frozenset[str] = frozenset({*content.PLAN, "target_version"})
LONGEST_WAIVER = timedelta(days=3660)  # what is longer is another rule; it also keeps the date one that every zone can write
EDITABLE: frozenset[str] = frozenset({Status.DRAFT, Status.RETURNED, Status.SUBMITTED})


class ChangeQuerySet(GovernedQuerySet):
    """The adjectives people use of changes."""

    def in_review(self) -> Self:
        return self.filter(status=Status.SUBMITTED)

    def open(self) -> Self:
        """Not ended: something can still happen to it."""
        return self.filter(status__in=[Status.DRAFT, Status.SUBMITTED, Status.RETURNED, Status.APPROVED])

    def agreed(self) -> Self:
        """Approved, whether or not it has been carried out yet."""
        return self.filter(status__in=[Status.APPROVED, Status.IMPLEMENTED], kind__in=TARGETED)

    def for_target(self, *, version: Any, environment: Any, region: Any) -> Self:
        return self.filter(version=version, environment=environment, region=region)

    def came_of(self, kind: str, origin: Any) -> Self:
        """Those that name this as their origin."""
        return self.filter(origin_kind=kind, origin_id=origin)

    def drafted_for(self, user: Any) -> Self:
        """Drafted by the system for this person, who has to check and submit them."""
        return self.filter(status=Status.DRAFT, owner=user, drafted_by__is_system=True)

    def of_person(self, user: Any) -> Self:
        """What this person owns, drafted or submitted."""
        return self.filter(Q(owner=user) | Q(drafted_by=user) | Q(submitted_by=user))


class ChangeRequest(Recorded):
    """One thing somebody wants to change about a model, with everything an approver must know."""

    number = models.PositiveIntegerField(_("number"), unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.DRAFT, editable=False)
    model = models.ForeignKey("stewardship.RegisteredModel", on_delete=models.PROTECT, related_name="changes", verbose_name=_("model"))
    version = models.ForeignKey(
        "stewardship.ModelVersion", on_delete=models.PROTECT, related_name="changes", verbose_name=_("version"), null=True, blank=True
    )
    environment = models.ForeignKey(
        "stewardship.Environment", on_delete=models.PROTECT, related_name="+", verbose_name=_("environment"), null=True, blank=True
    )
    region = models.ForeignKey("stewardship.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    title = models.CharField(_("title"), max_length=160)
    rationale = models.TextField(_("rationale"), blank=True)
    origin_kind = models.CharField(_("kind of origin"), max_length=32, blank=True, choices=OriginKind)
    origin_id = models.UUIDField(_("origin id"), null=True, blank=True)
    origin_label = models.CharField(_("origin"), max_length=200, blank=True)
    observed_shifts = models.TextField(_("observed data shifts"), blank=True)
    policy_considerations = models.TextField(_("policy considerations"), blank=True)
    ethical_considerations = models.TextField(_("ethical considerations"), blank=True)
    tradeoffs = DocumentField(_("trade-offs"), default=list, blank=True)
    testing_protocol = DocumentField(_("testing protocol"), default=list, blank=True)
    rollout_plan = models.TextField(_("roll-out plan"), blank=True)
    release_notes = models.TextField(_("release notes"), blank=True)
    watch_days = models.PositiveSmallIntegerField(_("watch period in days"), default=7)
    waived_rule = models.CharField(_("rule to waive"), max_length=130, blank=True)
    compensating_control = models.TextField(_("compensating control"), blank=True)
    waiver_until = models.DateTimeField(_("waiver until"), null=True, blank=True)
    evidence = DocumentField(_("evidence at submission"), default=list, blank=True, editable=False)
    content_digest = models.CharField(_("content digest"), max_length=64, blank=True, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=0, editable=False)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("drafted by"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner"))
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("submitted by"), null=True, editable=False
    )
    drafted_at = models.DateTimeField(_("drafted"), editable=False)
    submitted_at = models.DateTimeField(_("submitted"), null=True, editable=False)
    decided_at = models.DateTimeField(_("decided"), null=True, editable=False)
    implemented_at = models.DateTimeField(_("implemented"), null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, editable=False)

    objects = models.Manager.from_queryset(ChangeQuerySet)()
    access_paths: ClassVar[Paths] = Paths(region=("model__region_id", "region_id"), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = ChangeRight.VIEW

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["version", "environment", "region", "status"], name="change_target"),
            models.Index(fields=["model", "status"], name="change_model_status"),
            models.Index(fields=["status", "expires_at"], name="change_expiry"),
            models.Index(fields=["origin_id"], name="change_origin"),
        ]
        constraints = [
            models.CheckConstraint(
                name="change_target_when_submitted",
                condition=Q(status__in=[Status.DRAFT, Status.WITHDRAWN])
                | Q(kind=Kind.WAIVER)
                | Q(version__isnull=False, environment__isnull=False),
            ),
            models.CheckConstraint(
                name="change_digest_when_submitted",
                condition=Q(submitted_at__isnull=True) | (~Q(content_digest="") & Q(submitted_by__isnull=False)),
            ),
            # Two reviews of the same move at once could end in two answers.
            models.UniqueConstraint(
                name="change_one_review_per_target",
                fields=["version", "environment", "region"],
                condition=Q(status=Status.SUBMITTED, kind__in=sorted(TARGETED)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("change_detail", args=[self.pk])

    @property
    def reference(self) -> str:
        """How people call it: CR-12."""
        return f"CR-{self.number}"

    @property
    def origin_reference(self) -> str:
        """What it came from, as one would write it again: an id, or words."""
        return str(self.origin_id or self.origin_label)

    @property
    def is_targeted(self) -> bool:
        """True when it puts a version into an environment of a region."""
        return self.kind in TARGETED

    @property
    def tone(self) -> tuple[str, str]:
        """Tone and icon of the status chip."""
        return TONES[self.status]

    def content(self) -> dict[str, Any]:
        """Everything an approver agrees to; equal content has an equal digest."""
        return content.of(self)

    def digest(self) -> str:
        """SHA-256 of the canonical content."""
        return canonical_digest(self.content())

    def locked(self) -> None:
        """Judge the row, not our copy; call inside a transaction."""
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update())

    def edit(self, *, actor: User, **fields: Any) -> None:
        """Change what is asked; while people are deciding this dismisses what they have decided and starts over.

        `rollback` takes the fields of the plan as a mapping, `origin_kind` and `origin_reference` say what it came from.
        Raises Invalid on an unknown field, Conflict once it is decided.
        """
        require(actor, ChangeRight.DRAFT, self)
        plan = fields.pop("rollback", None)
        origin = [fields.pop(name, getattr(self, name)) for name in ("origin_kind", "origin_reference")]
        for name in fields:
            if name not in ASKED:
                raise Invalid(_("%(name)s is not a field of a change that can be edited.") % {"name": name}, field=name)
        with transaction.atomic():
            self.locked()
            if self.status not in EDITABLE:
                raise Conflict(
                    _("%(reference)s is %(status)s, so its content is settled.")
                    % {"reference": self.reference, "status": self.get_status_display().lower()},
                    field="status",
                    remedy=gettext("Open a new change."),
                )
            for name, value in fields.items():
                setattr(self, name, value)
            if origin != [self.origin_kind, self.origin_reference]:  # what stays need not be in sight of whoever edits the rest
                found = trace(actor, *origin)
                self.origin_kind, self.origin_id, self.origin_label = found.kind, found.id, found.label
            self.check_parts()
            if self.status == Status.SUBMITTED:
                self.refuse_second_review()
            with acting(actor, gettext("Edited")):
                self.save()
                if plan is not None:
                    RollbackPlan.write(self, plan)
                if self.status == Status.SUBMITTED:
                    hooks.edited_in_review(self, actor)

    def check_parts(self) -> None:
        """Raises Invalid where parts do not belong together, or one that people were asked about is taken away."""
        if self.version is not None and self.version.model_id != self.model_id:
            raise Invalid(
                _("%(version)s is not a version of %(model)s.") % {"version": self.version, "model": self.model},
                field="version",
                remedy=gettext("Choose a version of this model."),
            )

        if self.waiver_until is not None and abs(self.waiver_until - moment()) > LONGEST_WAIVER:
            raise Invalid(
                gettext("A waiver ends within ten years."),
                field="waiver_until",
                remedy=gettext("Choose an earlier date, or have the rule changed."),
            )
        if self.status != Status.DRAFT and self.is_targeted:
            for field, value in (("version", self.version), ("environment", self.environment)):
                if value is None:
                    raise Invalid(
                        gettext("Once people have been asked about it, this is not left open."),
                        field=field,
                        remedy=gettext("Choose one, or withdraw the change."),
                    )

    def refuse_second_review(self) -> None:
        """Raises AlreadyInReview while another change asks for the same move; call inside a transaction."""
        if not self.is_targeted or self.version is None or self.environment is None:
            return
        # The row of the version is the lock; the unique constraint on the table is the net under it.
        type(self.version).objects.select_for_update().get(pk=self.version.pk)
        same = ChangeRequest.objects.in_review().for_target(version=self.version, environment=self.environment, region=self.region)
        other = same.filter(kind__in=TARGETED).exclude(pk=self.pk).first()
        if other is not None:
            raise AlreadyInReview(
                gettext("%(other)s asks for the same and is in review.") % {"other": other},
                field="version",
                remedy=gettext("Wait for its decision, or withdraw it first."),
            )

    def withdraw(self, *, actor: User, reason: str) -> None:
        """Take it back; nothing was decided wrongly, it is just not wanted any more."""
        require(actor, ChangeRight.WITHDRAW, self)
        self.move(Status.WITHDRAWN, actor=actor, reason=reason)

    def move(self, to: Status, *, actor: User, reason: str, **fields: Any) -> None:
        """Go to another status with the fields that belong to that step; raises IllegalTransition. No permission is asked here."""
        with transaction.atomic():
            self.locked()
            if to not in TRANSITIONS.get(Status(self.status), frozenset()):
                raise IllegalTransition(str(Status(self.status).label), str(to.label))
            self.status = to
            for name, value in fields.items():
                setattr(self, name, value)
            with acting(actor, reason):
                self.save(update_fields=["status", *fields])
                hooks.moved(self, actor)


class RollbackPlan(Recorded):
    """How to get back, and what would make us."""

    change = models.OneToOneField(ChangeRequest, on_delete=models.PROTECT, related_name="rollback", verbose_name=_("change"))
    target_version = models.ForeignKey(
        "stewardship.ModelVersion",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("version to go back to"),
        null=True,
        blank=True,
    )
    trigger = models.TextField(_("what makes us go back"), blank=True)
    steps = models.TextField(_("steps"), blank=True)
    criteria = DocumentField(_("criteria"), default=list, blank=True)

    access_paths: ClassVar[Paths] = Paths(
        region=("change__model__region_id", "change__region_id"), family=("change__model__family_id",), model=("change__model_id",)
    )
    view_right: ClassVar[str] = ChangeRight.VIEW

    @classmethod
    def write(cls, change: ChangeRequest, fields: dict[str, Any]) -> RollbackPlan:
        """Make or change the plan of a change; call inside acting(). Raises Invalid on an unknown field."""
        found = cls.objects.filter(change=change).first() or cls(change=change)
        for name, value in fields.items():
            if name not in PLANNED:
                raise Invalid(_("%(name)s is not a field of a rollback plan.") % {"name": name}, field=f"rollback.{name}")
            setattr(found, name, criteria.checked(value) if name == "criteria" else value)
        if found.target_version is not None and found.target_version.model_id != change.model_id:
            raise Invalid(gettext("The version to go back to is of another model."), field="rollback.target_version")
        found.save()
        change.rollback = found
        return found

    class Meta:
        verbose_name = _("rollback plan")
        verbose_name_plural = _("rollback plans")

    def __str__(self) -> str:
        return str(self.change)


class ChangeRevision(Fact):
    """What a change said at one submission: the exact content that was put before the approvers."""

    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="revisions", verbose_name=_("change"))
    number = models.PositiveIntegerField(_("revision"))
    content = DocumentField(_("content"))
    digest = models.CharField(_("digest"), max_length=64)

    access_paths: ClassVar[Paths] = RollbackPlan.access_paths
    journal_object: ClassVar[str] = "change_id"
    view_right: ClassVar[str] = ChangeRight.VIEW

    class Meta:
        verbose_name = _("revision of a change")
        verbose_name_plural = _("revisions of changes")
        constraints = [models.UniqueConstraint(name="change_revision_once", fields=["change", "number"])]

    def __str__(self) -> str:
        return f"{self.change.reference} r{self.number}"


class Counter(models.Model):
    """The next number of a series that people read aloud."""

    name = models.CharField(primary_key=True, max_length=32)
    last = models.PositiveIntegerField(default=0)

    @classmethod
    def take(cls, name: str) -> int:
        """The next number, under a row lock that the surrounding transaction holds; a rollback gives it back."""
        if not transaction.get_connection().in_atomic_block:
            raise Conflict(gettext("A number is taken inside the transaction that uses it."))
        cls.objects.get_or_create(name=name)
        cls.objects.filter(name=name).update(last=F("last") + 1)  # the update takes the row lock
        taken: int = cls.objects.values_list("last", flat=True).get(name=name)
        return taken
