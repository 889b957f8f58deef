"""Artifacts: files that say something about a version, and what was read in them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from governance.evidence.rights import ArtifactRight
from stewardship.documents.models import Blob
from stewardship.inventory.models import ModelVersion
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded


class ArtifactQuerySet(GovernedQuerySet):
    """Evidence by what counts."""

    def that_counts(self, version: ModelVersion, at: datetime | None = None) -> list[Artifact]:
        """The latest of each kind and name, oldest first; a later one replaces an earlier one even when it cannot be read."""
        found = self.filter(version=version)
        if at is not None:
            found = found.filter(attached_at__lte=at)
        latest: dict[tuple[str, str], Artifact] = {}
        for artifact in found.select_related("blob").order_by("attached_at", "id"):
            latest.pop((artifact.kind, artifact.name), None)
            latest[artifact.kind, artifact.name] = artifact
        return list(latest.values())

    def unread(self) -> Self:
        """Evidence in which a reader found a problem."""
        return self.exclude(problem="")


class Artifact(Recorded):
    """One file about one version, content-addressed; `readings` is what a reader of its kind found in it."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="artifacts", verbose_name=_("version"))
    kind = models.SlugField(_("kind"), max_length=40)
    name = models.CharField(_("name"), max_length=200)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+", verbose_name=_("file"))
    received_digest = models.CharField(_("digest as received"), max_length=64)
    reader = models.CharField(_("read by"), max_length=40, blank=True)
    readings = DocumentField(_("readings"), default=dict)
    problem = models.TextField(_("problem"), blank=True)
    attached_at = models.DateTimeField(_("attached at"))

    objects = models.Manager.from_queryset(ArtifactQuerySet)()

    access_paths: ClassVar[Paths] = Paths(
        region=("version__model__region_id",), family=("version__model__family_id",), model=("version__model_id",)
    )
    view_right: ClassVar[str] = ArtifactRight.VIEW

    class Meta:
        verbose_name = _("artifact")
        verbose_name_plural = _("artifacts")
        ordering = ["-attached_at", "-id"]
        indexes = [models.Index(fields=["version", "kind", "name", "-attached_at"], name="evidence_artifact_version")]

    def __str__(self) -> str:
        return f"{self.kind} · {self.name}"

    @property
    def was_reduced(self) -> bool:
        """Whether what is kept is less than what was sent (host names and paths are left out)."""
        return self.received_digest != self.blob.sha256
