"""Frameworks, their clauses, and the regions they apply in."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.frameworks.rights import FrameworkRight
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.regions.models import Region


class Framework(Recorded):
    """A law, a standard or a policy of one's own; a new edition is a new framework that replaces the one before."""

    slug = models.SlugField(_("short name"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=200)
    jurisdiction = models.CharField(_("jurisdiction"), max_length=120, blank=True)
    edition = models.CharField(_("edition"), max_length=80, blank=True)
    source = models.URLField(_("where it can be read"), blank=True)
    summary = models.TextField(_("in short"), blank=True)
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by", verbose_name=_("replaces")
    )

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = FrameworkRight.VIEW

    class Meta:
        verbose_name = _("framework")
        verbose_name_plural = _("frameworks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Clause(Recorded):
    """One requirement of a framework, which rules can name as their reason."""

    framework = models.ForeignKey(Framework, on_delete=models.PROTECT, related_name="clauses", verbose_name=_("framework"))
    ref = models.CharField(_("reference"), max_length=80)
    title = models.CharField(_("title"), max_length=200)
    summary = models.TextField(_("in short"), blank=True)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = FrameworkRight.VIEW

    class Meta:
        verbose_name = _("clause")
        verbose_name_plural = _("clauses")
        ordering = ["framework", "ref"]
        constraints = [models.UniqueConstraint(fields=["framework", "ref"], name="frameworks_clause_ref_once")]

    def __str__(self) -> str:
        return f"{self.framework} {self.ref}"


class ApplicabilityQuerySet(GovernedQuerySet):
    """Where frameworks apply, by day and region."""

    def on(self, day: date) -> Self:
        """Those in effect on this day."""
        return self.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=day), valid_from__lte=day)

    def within(self, region: Region) -> Self:
        """Those made for this region or one above it."""
        return self.filter(region__in=region.way_up())


class Applicability(Recorded):
    """A framework applies in a region and everywhere below it, from one day (inclusive) to another (exclusive)."""

    framework = models.ForeignKey(Framework, on_delete=models.PROTECT, related_name="applicability", verbose_name=_("framework"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="frameworks", verbose_name=_("region"))
    valid_from = models.DateField(_("applies from"))
    valid_until = models.DateField(_("applies until"), null=True, blank=True)

    objects = models.Manager.from_queryset(ApplicabilityQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = FrameworkRight.VIEW

    class Meta:
        verbose_name = _("applicability")
        verbose_name_plural = _("applicabilities")
        ordering = ["valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["framework", "region", "valid_from"], name="frameworks_applicability_once"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="frameworks_applicability_ends_later",
                violation_error_message=_("It ends before it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.framework} · {self.region}"


def applicable(region: Region, day: date) -> list[Framework]:
    """The frameworks in effect for this region on this day, by name."""
    found = Applicability.objects.on(day).within(region).select_related("framework")
    return sorted({row.framework for row in found}, key=lambda framework: framework.name)
