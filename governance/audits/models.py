"""A report about one model as of one instant and one size of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Chip
from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from governance.audits.errors import NotReady
from governance.audits.rights import ReportRight
from stewardship.documents.models import Blob, Job
from stewardship.journal.acting import acting
from stewardship.journal.record import Recorded

if TYPE_CHECKING:
    from stewardship.people.models import User


class Kind(models.TextChoices):
    MODEL = "model", _("One model")


class Status(models.TextChoices):
    REQUESTED = "requested", _("Waiting for a worker")
    BUILDING = "building", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.BUILDING, Status.FAILED, Status.CANCELLED}),
    Status.BUILDING: frozenset({Status.READY, Status.FAILED, Status.CANCELLED}),
}
CHIPS: dict[str, Chip] = {
    Status.REQUESTED: Chip(Status.REQUESTED.label, "neutral"),
    Status.BUILDING: Chip(Status.BUILDING.label, "info"),
    Status.READY: Chip(Status.READY.label, "good"),
    Status.FAILED: Chip(Status.FAILED.label, "act"),
    Status.CANCELLED: Chip(Status.CANCELLED.label, "neutral"),
}


class Report(Recorded):
    """`as_of` and `size` are pinned when it is asked for: the same pair gives the same pages, whenever they are made."""

    kind = models.CharField(_("about"), max_length=12, choices=Kind, default=Kind.MODEL)
    model = models.ForeignKey("stewardship.RegisteredModel", on_delete=models.PROTECT, related_name="reports", verbose_name=_("model"))
    as_of = models.DateTimeField(_("as of"), editable=False)
    size = models.PositiveBigIntegerField(_("journal size"), editable=False)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.REQUESTED, editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("requested by"))
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("job"))
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("sealed file"))
    content_sha256 = models.CharField(_("digest before the seal"), max_length=64, blank=True, editable=False)
    manifest_sha256 = models.CharField(_("digest of the manifest"), max_length=64, blank=True, editable=False)
    rows = models.PositiveIntegerField(_("rows attached"), default=0, editable=False)
    problem = models.CharField(_("why it failed"), max_length=500, blank=True, editable=False)

    access_paths: ClassVar[Paths] = Paths(region=("model__region_id",), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = ReportRight.VIEW

    class Meta:
        verbose_name = _("audit report")
        verbose_name_plural = _("audit reports")
        ordering = ["-as_of", "-id"]
        indexes = [models.Index(fields=["model", "-as_of"], name="audits_report_model")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="ready") | (Q(blob__isnull=False) & ~Q(content_sha256="") & ~Q(manifest_sha256="")),
                name="audits_report_ready_has_file",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} · {self.as_of:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("report_detail", args=[self.pk])

    @property
    def chip(self) -> Chip:
        """The status in one word."""
        return CHIPS[self.status]

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.status in TRANSITIONS

    @property
    def file_name(self) -> str:
        """What the file is called when it is downloaded."""
        return f"audit-{self.model.slug}-{self.as_of:%Y%m%dT%H%MZ}.pdf"

    def file(self) -> Blob:
        """The sealed PDF; raises NotReady."""
        if self.blob is None:
            raise NotReady(
                gettext("This report has no file."), field="status", remedy=gettext("Wait until it is ready, or request a new one.")
            )
        return self.blob

    def begin(self, *, actor: User) -> None:
        """A worker has started; one that starts again after another died changes nothing."""
        if self.status != Status.BUILDING:
            self._move(Status.BUILDING, actor=actor, reason="")

    def finish(self, *, actor: User, blob: Blob, content_sha256: str, manifest_sha256: str, rows: int) -> None:
        """It is made and sealed. Call in the transaction that confirms the job."""
        self._move(
            Status.READY, actor=actor, reason="", blob=blob, content_sha256=content_sha256, manifest_sha256=manifest_sha256, rows=rows
        )

    def fail(self, *, actor: User, problem: str) -> None:
        """It could not be made."""
        self._move(Status.FAILED, actor=actor, reason=problem, problem=problem[:500])

    def drop(self, *, actor: User, reason: str = "") -> None:
        """Nobody wants it any more."""
        self._move(Status.CANCELLED, actor=actor, reason=reason)

    def _move(self, to: Status, *, actor: User, reason: str, **fields: Any) -> None:
        with transaction.atomic():
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update())
            if to not in TRANSITIONS.get(Status(self.status), frozenset()):
                raise IllegalTransition(str(Status(self.status).label), str(to.label))
            self.status = to
            for name, value in fields.items():
                setattr(self, name, value)
            with acting(actor, reason):
                self.save(update_fields=["status", *fields])
