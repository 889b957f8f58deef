"""What was received. A batch is governed and journalled; the rows inside it are its content, covered by its digest."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths, Restricted
from monitoring.signals.models.sources import Metric, Source
from monitoring.signals.rights import SeriesRight, SourceRight
from stewardship.inventory.models import Deployment, Environment, ModelVersion, RegisteredModel
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact
from stewardship.regions.models import Region


class Batch(Fact):
    """One body that brought something new: its digest, and what became of what was in it."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="batches", verbose_name=_("source"))
    sha256 = models.CharField(_("digest of the body"), max_length=64)
    size = models.PositiveIntegerField(_("bytes"))
    content_type = models.CharField(_("content type"), max_length=100, blank=True)
    received = models.PositiveIntegerField(_("facts in it"))
    accepted = models.PositiveIntegerField(_("stored"))
    duplicates = models.PositiveIntegerField(_("known already"))
    quarantined = models.PositiveIntegerField(_("put in quarantine"))
    shortfall = models.PositiveIntegerField(_("withheld by the source"), default=0)

    access_paths: ClassVar[Paths] = Paths(region=("source__region_id",))
    view_right: ClassVar[str] = SourceRight.VIEW
    journal_object: ClassVar[str] = "source_id"

    class Meta:
        verbose_name = _("signal batch")
        verbose_name_plural = _("signal batches")
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["source", "sha256"], name="signals_batch_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.sha256[:8]}"


def replaced(at: datetime, series: str = "") -> Q:
    """Series about a version that ran where they measure, and runs there no longer; `series` is the lookup that leads to them."""
    runs = Deployment.objects.filter(version=OuterRef(f"{series}version"), region=OuterRef(f"{series}region"))
    here = runs.filter(environment=OuterRef(f"{series}environment"))
    somewhere = Q(Exists(runs), ~Exists(runs.live(at)), **{f"{series}environment__isnull": True})
    return Q(Exists(here), ~Exists(here.live(at)), **{f"{series}environment__isnull": False}) | somewhere


class SeriesQuerySet(Restricted):
    """Series, by what they are about."""

    def of_model(self, model_id: UUID) -> Self:
        return self.filter(model_id=model_id)

    def with_gone(self, at: datetime) -> Self:
        """With `gone`: whether the version they are about has been replaced where they measure."""
        return self.annotate(gone=Case(When(replaced(at), then=True), default=False, output_field=models.BooleanField()))


class Series(models.Model):
    """One line of a chart: one metric by one method about one subject, for one model where it runs.

    Derived from the facts, so not governed itself. Direction belongs to the series, because the same metric by another
    method may be bad the other way round.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    # A digest of the eight columns below: uniqueness that treats "none" as a value on every database.
    key = models.CharField(max_length=64, unique=True, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="series", verbose_name=_("model"))
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="series", verbose_name=_("version"))
    environment = models.ForeignKey(Environment, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("environment"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="series", verbose_name=_("metric"))
    method = models.CharField(_("method"), max_length=200, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    direction = models.CharField(_("which way is bad"), max_length=20)
    unit = models.CharField(_("unit"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("first seen"))
    gone: bool  # told by `with_gone()`

    objects = models.Manager.from_queryset(SeriesQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id", "model__region_id"), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = SeriesRight.VIEW

    class Meta:
        verbose_name = _("series")
        verbose_name_plural = _("series")
        ordering = ["metric__slug", "method", "subject"]
        indexes = [models.Index(fields=["model", "metric"])]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Metric, method and subject by their keys: `drift.wasserstein (mean area)`."""
        parts = self.metric.slug + (f".{self.method}" if self.method else "")
        return f"{parts} ({self.subject})" if self.subject else parts

    @property
    def label(self) -> str:
        """The same as people say it: `Drift (mean area, wasserstein)`."""
        said = ", ".join(part for part in (self.subject, self.method) if part)
        if not said:
            return self.metric.name
        name = self.metric.name
        return f"{name[:-1]}, {said})" if name.endswith(")") else f"{name} ({said})"  # one pair of brackets is enough


class WindowQuerySet(Restricted):
    """Windows in order of event time."""

    def newest_first(self) -> Self:
        return self.order_by("-end", "-start", "-received_at", "-id")

    def upto(self, at: datetime) -> Self:
        return self.filter(received_at__lte=at)


class Window(models.Model):
    """One measured value over one span of time. Never changed; a corrected value is a further row, and the newest one counts."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="windows", verbose_name=_("series"))
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", verbose_name=_("source"))
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="windows", verbose_name=_("batch"))
    external_id = models.CharField(_("identity at the source"), max_length=200)
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))
    value = models.DecimalField(_("value"), max_digits=30, decimal_places=12)
    n = models.PositiveBigIntegerField(_("sample size"), null=True)
    context = DocumentField(_("said by the source"), default=dict)
    received_at = models.DateTimeField(_("received"))

    objects = models.Manager.from_queryset(WindowQuerySet)()

    access_paths: ClassVar[Paths] = Paths(
        region=("series__region_id", "series__model__region_id"), family=("series__model__family_id",), model=("series__model_id",)
    )
    view_right: ClassVar[str] = SeriesRight.VIEW

    class Meta:
        verbose_name = _("window")
        verbose_name_plural = _("windows")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="signals_window_once"),
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="signals_window_ends_after_start"),
        ]
        indexes = [models.Index(fields=["series", "-end", "-received_at"])]

    def __str__(self) -> str:
        return f"{self.series_id} {self.end:%Y-%m-%d %H:%M} {self.value}"


class Verdict(models.Model):
    """A source's own judgement: something fires, or has ended. Kept beside our own evaluation, never instead of it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="verdicts", verbose_name=_("source"))
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="verdicts", verbose_name=_("batch"))
    external_id = models.CharField(_("identity at the source"), max_length=200)
    key = models.CharField(_("episode at the source"), max_length=200, db_index=True)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="verdicts", verbose_name=_("model"))
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("version"))
    environment = models.ForeignKey(Environment, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("environment"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    name = models.CharField(_("what fires"), max_length=2000)
    subject = models.CharField(_("subject"), max_length=2000, blank=True)
    firing = models.BooleanField(_("firing"))
    level = models.CharField(_("level"), max_length=12)
    title = models.TextField(_("in the source's words"), blank=True)
    start = models.DateTimeField(_("since"))
    end = models.DateTimeField(_("until"))
    context = DocumentField(_("said by the source"), default=dict)
    received_at = models.DateTimeField(_("received"))

    objects = models.Manager.from_queryset(Restricted)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id", "model__region_id"), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = SeriesRight.VIEW

    class Meta:
        verbose_name = _("verdict of a source")
        verbose_name_plural = _("verdicts of sources")
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="signals_verdict_once")]

    def __str__(self) -> str:
        return self.title or self.name
