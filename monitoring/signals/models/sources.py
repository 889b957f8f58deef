"""Configuration: the sources that may send, and the catalogue of what can be measured."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from monitoring.signals import adapters
from monitoring.signals.mapping import complaints
from monitoring.signals.rights import SeriesRight, SourceRight
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.regions.models import Region
from stewardship.roles.models import Role


class SourceQuerySet(GovernedQuerySet):
    """Sources, by whether they may send."""

    def active(self) -> Self:
        return self.filter(active=True)


class Source(Recorded):
    """One monitoring service that sends facts, under one account, in one format."""

    slug = models.SlugField(_("key"), max_length=60, unique=True, help_text=_("Part of the address it sends to."))
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("format"), max_length=40)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="signal_sources", verbose_name=_("region"))
    mapping = DocumentField(
        _("mapping"),
        default=dict,
        blank=True,
        help_text=_('How its words become ours: {"labels": {"model": "service"}, "regions": {"DE": "de"}, "levels": {"critical": "act"}}.'),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="signal_sources", verbose_name=_("account that sends")
    )
    active = models.BooleanField(_("active"), default=True)

    objects = models.Manager.from_queryset(SourceQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = SourceRight.VIEW

    class Meta:
        verbose_name = _("signal source")
        verbose_name_plural = _("signal sources")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a format without adapter and a mapping that could not be applied."""
        if self.kind not in adapters.kinds():
            raise ValidationError({"kind": _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(adapters.kinds())}})
        wrong = complaints(self.mapping or {})
        if wrong:
            raise ValidationError({"mapping": wrong})


class Metric(Recorded):
    """One thing that can be measured, the same wherever it is measured."""

    slug = models.CharField(_("key"), max_length=120, unique=True)
    name = models.CharField(_("name"), max_length=160)
    unit = models.CharField(_("unit"), max_length=40, blank=True)
    # Empty where the method decides: a p-value is bad when low, a distance when high.
    direction = models.CharField(
        _("which way is bad"),
        max_length=20,
        blank=True,
        choices=[
            ("higher_is_worse", _("higher is worse")),
            ("lower_is_worse", _("lower is worse")),
            ("outside_range", _("outside a range")),
        ],
    )
    formula = models.TextField(_("how it is computed"), blank=True)
    owner_role = models.ForeignKey(Role, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("owner"))

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = SeriesRight.VIEW

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug
