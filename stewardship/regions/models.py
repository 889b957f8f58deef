"""The region tree, legal entities, working calendars, and values set at a node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.query import TreeQuerySet

from config.portal.permission import Paths
from stewardship.journal.canonical import plain
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact, GovernedQuerySet, Recorded
from stewardship.regions import rules, tree
from stewardship.regions.errors import TreeRefused
from stewardship.regions.rights import RegionRight


class RegionQuerySet(GovernedQuerySet, TreeQuerySet):
    """Regions, addressable by their place in the tree."""

    def root(self) -> Region:
        """The one region without a parent; raises Region.DoesNotExist on an empty installation."""
        found: Region = self.get(parent__isnull=True)
        return found

    def parents(self) -> dict[UUID, UUID | None]:
        """Every region's parent, in one query."""
        return dict(self.model._default_manager.values_list("id", "parent_id"))

    def ids_below(self, ids: Iterable[UUID]) -> frozenset[UUID]:
        """These regions and everything below them, as ids; one query."""
        return tree.below(self.parents(), ids)

    def for_practice(self) -> frozenset[UUID]:
        """Regions for practising, whose records stay out of reports and figures, as ids; one query."""
        return frozenset(self.model._default_manager.filter(practice=True).order_by().values_list("id", flat=True))


class Region(Recorded):
    """A node of the tree in which everything is governed; the root has no parent."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    parent = TreeNodeForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children", verbose_name=_("parent"))
    language = models.CharField(_("language"), max_length=12, default="en")
    practice = models.BooleanField(
        _("for practice"), default=False, help_text=_("What is recorded here is marked and stays out of reports and figures.")
    )

    objects = models.Manager.from_queryset(RegionQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("id",))
    view_right: ClassVar[str] = RegionRight.VIEW

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["name"]
        constraints = [
            # Two roots would mean two heads of one installation, and "from the root" would mean nothing.
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(parent__isnull=True),
                name="regions_region_one_root",
                violation_error_message=_("There is one region at the root already. Choose the region above."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and record; raises TreeRefused when the region would end up below itself.

        What lies below a region for practising is for practice too. It is written down there, so that a row says all by itself.
        """
        if self.parent_id is not None and not self._state.adding and self.pk in tree.above(Region.objects.parents(), self.parent_id):
            raise TreeRefused(
                gettext("A region cannot be below itself."), field="parent", remedy=gettext("Choose a parent outside this region.")
            )
        with transaction.atomic():
            self.practice = self.practice or Region.objects.filter(pk=self.parent_id, practice=True).exists()
            super().save(*args, **kwargs)
            if self.practice:
                for below in Region.objects.filter(parent=self, practice=False):
                    below.save()
        tree.changed()

    def learn_way(self, parents: Mapping[UUID, UUID | None]) -> None:
        """Take the way to the root from a tree that was read already (`tree_of`), so that `way_up` asks nothing; if it is in it."""
        if self.pk in parents:
            self.__dict__["_way"] = (tree.changes(), tree.above(parents, self.pk))

    def way_up(self) -> list[UUID]:
        """The ids from this region up to the root; one query, asked again of the same object only when the tree changed."""
        if self.parent_id is None:
            return [self.pk]
        kept: tuple[int, list[UUID]] | None = self.__dict__.get("_way")
        if kept is None or kept[0] != tree.changes():
            kept = self.__dict__["_way"] = (tree.changes(), tree.above(Region.objects.parents(), self.pk))
        return list(kept[1])

    def ancestors_and_self(self) -> list[Region]:
        """From the root down to this region; one query, asked again of the same object only when the tree changed."""
        stamp = tree.changes()
        kept: tuple[int, list[Region]] | None = self.__dict__.get("_line")
        if kept is None or kept[0] != stamp:
            found = {region.pk: region for region in Region.objects.all()}
            parents = {pk: region.parent_id for pk, region in found.items()}
            self.learn_way(parents)
            kept = self.__dict__["_line"] = (stamp, [found[pk] for pk in reversed(self.way_up())])
        return list(kept[1])


class LegalEntity(Recorded):
    """A company or branch that answers in law for models of a region."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="legal_entities", verbose_name=_("region"))

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = RegionRight.VIEW

    class Meta:
        verbose_name = _("legal entity")
        verbose_name_plural = _("legal entities")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WorkingCalendar(Recorded):
    """When people of a region work; regions below use it until they have their own."""

    region = models.OneToOneField(Region, on_delete=models.PROTECT, related_name="calendar", verbose_name=_("region"))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    week = DocumentField(_("weekly hours"), default=dict, help_text=_('Per day the spans worked, e.g. {"mon": [["09:00", "17:00"]]}.'))
    country = models.CharField(_("country of public holidays"), max_length=2, blank=True)
    subdivision = models.CharField(_("subdivision of that country"), max_length=8, blank=True)
    closures = DocumentField(_("further closed days"), default=list, blank=True, help_text=_('Dates, e.g. ["2026-12-24"].'))

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = RegionRight.VIEW

    class Meta:
        verbose_name = _("working calendar")
        verbose_name_plural = _("working calendars")

    def __str__(self) -> str:
        return f"{self.region} ({self.zone})"

    def clean(self) -> None:
        """Everything a later computation would stumble over, refused where it is typed."""
        from stewardship.regions.holidays import check_country, parse_closures

        if self.zone not in available_timezones():
            raise ValidationError({"zone": _("This is no time zone name; use one like Europe/Berlin.")})
        try:
            if not any(rules.parse_week(self.week)):
                raise rules.BadWeek(_("Without a span nobody ever works."))
        except (rules.BadWeek, AttributeError, TypeError) as error:
            raise ValidationError({"week": str(error)}) from error
        try:
            check_country(self.country, self.subdivision)
        except ValueError as error:
            raise ValidationError({"country": str(error)}) from error
        try:
            parse_closures(self.closures)
        except ValueError as error:
            raise ValidationError({"closures": str(error)}) from error

    @property
    def tz(self) -> ZoneInfo:
        """The zone, ready for arithmetic."""
        return ZoneInfo(self.zone)


class Combine(models.TextChoices):
    """How a value set nearer to the leaf meets one set nearer to the root."""

    MIN = "min", _("a nearer region may only lower it")
    MAX = "max", _("a nearer region may only raise it")
    FIXED = "fixed", _("only the highest region sets it")
    FREE = "free", _("the nearest region sets it")


class Bound(Recorded):
    """A parameter that regions may set, how their values combine, and the range nobody may leave."""

    parameter = models.CharField(_("parameter"), max_length=120, unique=True)
    combine = models.CharField(_("combines"), max_length=8, choices=Combine, default=Combine.FREE)
    low = models.DecimalField(_("lowest"), max_digits=24, decimal_places=8, null=True, blank=True)
    high = models.DecimalField(_("highest"), max_digits=24, decimal_places=8, null=True, blank=True)
    description = models.TextField(_("what it decides"), blank=True)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = RegionRight.VIEW

    class Meta:
        verbose_name = _("bound")
        verbose_name_plural = _("bounds")
        ordering = ["parameter"]
        constraints = [
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lte=models.F("high")),
                name="regions_bound_low_below_high",
                violation_error_message=_("The lowest value is above the highest."),
            )
        ]

    def __str__(self) -> str:
        return self.parameter

    @property
    def limits(self) -> rules.Limits:
        """What the rules need to know of this row."""
        low, high = (None if edge is None else Decimal(plain(edge)) for edge in (self.low, self.high))
        return rules.Limits(self.combine, low, high)


class Setting(Fact):
    """A value that a region set for a while. Never changed: a later number that covers the same day wins over it.

    `value` None says "from now on as the region above". `at` is when it was recorded, `valid_*` when it holds.
    """

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="settings", verbose_name=_("region"))
    parameter = models.CharField(_("parameter"), max_length=120, db_index=True)
    value = DocumentField(_("value"), null=True, blank=True)
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    number = models.PositiveIntegerField(_("number"))

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = RegionRight.VIEW
    journal_object: ClassVar[str] = "region_id"

    class Meta:
        verbose_name = _("setting")
        verbose_name_plural = _("settings")
        ordering = ["parameter", "-number"]
        constraints = [
            # Two people who set the same value at once: the second one's number is taken.
            models.UniqueConstraint(fields=["region", "parameter", "number"], name="regions_setting_number"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=models.F("valid_from")),
                name="regions_setting_ends_after_start",
                violation_error_message=_("It ends before it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parameter} @ {self.region}"

    @property
    def recorded(self) -> Any:
        """When this row was written."""
        return self.at
