"""Rules that judge series, what nodes of the tree say about their parameters, and where each series stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Self
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths, Restricted
from monitoring.signals.models import Metric, Series
from monitoring.thresholds import inherit, rules
from monitoring.thresholds.rights import RuleRight
from stewardship.inventory.models import Environment, ModelFamily, ModelVersion, RegisteredModel
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.regions import tree
from stewardship.regions.models import Region


class LevelChoice(models.TextChoices):
    """The three levels, with the words people read."""

    OBSERVE = "observe", _("Observe")
    INVESTIGATE = "investigate", _("Investigate")
    ACT = "act", _("Act")


class DirectionChoice(models.TextChoices):
    """Which way is bad."""

    HIGHER = "higher_is_worse", _("higher is worse")
    LOWER = "lower_is_worse", _("lower is worse")
    OUTSIDE = "outside_range", _("outside a range")


class ParameterChoice(models.TextChoices):
    """What a node may override."""

    OBSERVE = "observe", _("bound of observe")
    INVESTIGATE = "investigate", _("bound of investigate")
    ACT = "act", _("bound of act")
    FOR_WINDOWS = "for_windows", _("windows in a row")
    MIN_N = "min_n", _("smallest sample")
    MARGIN = "margin", _("way back inside")
    EXPECTED_EVERY = "expected_every_minutes", _("expected every (minutes)")


class RuleQuerySet(GovernedQuerySet):
    """Rules, by what they judge."""

    def in_force(self, at: datetime) -> Self:
        return self.filter(valid_from__lte=at).filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at))

    def binding(self, regions: Iterable[UUID], parents: dict[UUID, UUID | None]) -> Self:
        """Those that hold in one of these regions, because they are set there or above; `parents` is every region's (`tree_of`)."""
        return self.filter(region__in={node for region in regions for node in tree.above(parents, region)})


class Rule(Recorded):
    """What is still allowed for one metric, below one region: bounds per level, timing, and what to do next."""

    slug = models.SlugField(_("key"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=160)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="threshold_rules", verbose_name=_("region"))
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="rules", verbose_name=_("metric"))
    method = models.CharField(_("method"), max_length=200, blank=True, help_text=_("Empty: any method with this direction."))
    subject = models.CharField(_("subject"), max_length=200, blank=True, help_text=_("Empty: every subject."))
    environment = models.ForeignKey(
        Environment, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("environment")
    )
    version = models.ForeignKey(
        ModelVersion,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("version"),
        help_text=_("Set by the approved change whose rollback criterion this is; empty: every version of every model."),
    )
    tier_up_to = models.PositiveSmallIntegerField(
        _("for tiers up to"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(4)],
        help_text=_("Empty: every tier. A model without a tier is always judged."),
    )
    direction = models.CharField(_("which way is bad"), max_length=20, choices=DirectionChoice)
    levels = DocumentField(_("bounds"), help_text=_('{"observe": 0.1, "investigate": 0.2, "act": 0.3}; for a range [low, high] each.'))
    for_windows = models.PositiveSmallIntegerField(_("windows in a row"), default=1, validators=[MinValueValidator(1)])
    min_n = models.PositiveIntegerField(_("smallest sample"), default=0, help_text=_("A smaller sample says nothing, good or bad."))
    margin = models.DecimalField(
        _("way back inside"),
        max_digits=24,
        decimal_places=8,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
        help_text=_("How far inside the bound a value must return before a breach is over."),
    )
    expected_every_minutes = models.PositiveIntegerField(
        _("expected every (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(inherit.MOST_MINUTES)],
        help_text=_("Silence for longer is an alert."),
    )
    grace_minutes = models.PositiveIntegerField(_("grace (minutes)"), default=0, validators=[MaxValueValidator(inherit.MOST_MINUTES)])
    stale_level = models.CharField(_("level of silence"), max_length=12, choices=LevelChoice, default=LevelChoice.INVESTIGATE)
    next_actions = DocumentField(_("next action"), default=dict, blank=True, help_text=_('Per level: {"act": "Ask for a rollback."}.'))
    freedoms = DocumentField(
        _("freedom of regions"),
        default=dict,
        blank=True,
        help_text=_('Per parameter "fixed", "tighten" (as when nothing is said) or {"low": 0.1, "high": 0.5}.'),
    )
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = models.Manager.from_queryset(RuleQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = RuleRight.VIEW

    class Meta:
        verbose_name = _("threshold rule")
        verbose_name_plural = _("threshold rules")
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(for_windows__gte=1),
                name="thresholds_rule_for_windows",
                violation_error_message=_("At least one window must be beyond the bound."),
            ),
            models.CheckConstraint(
                condition=Q(margin__gte=0), name="thresholds_rule_margin", violation_error_message=_("The margin cannot be below zero.")
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="thresholds_rule_ends_after_start",
                violation_error_message=_("It ends before it begins."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def base(self) -> dict[inherit.Parameter, Any]:
        """The rule's own values, as inheritance starts from them."""
        said: dict[inherit.Parameter, Any] = {inherit.Parameter(level): bound for level, bound in self.levels.items()}
        said[inherit.Parameter.FOR_WINDOWS] = self.for_windows
        said[inherit.Parameter.MIN_N] = self.min_n
        said[inherit.Parameter.MARGIN] = self.margin
        if self.expected_every_minutes is not None:
            said[inherit.Parameter.EXPECTED_EVERY] = self.expected_every_minutes
        return said

    def freedom(self) -> dict[inherit.Parameter, inherit.Freedom]:
        """How far nodes below may go, per parameter; raises Unusable."""
        return inherit.freedoms(self.freedoms or {})

    def clean(self) -> None:
        """Refuse what could never be judged: bounds out of order, a margin that leaves no way back, unknown names."""
        if self.direction not in DirectionChoice.values:
            return  # the field's own error says so
        try:
            direction = rules.Direction(self.direction)
            if not isinstance(self.levels, dict):
                raise inherit.Unusable(str(_("Give one bound per level.")), "levels")
            inherit.check_levels(direction, self.levels, self.margin or Decimal(0))
            self.freedom()
        except inherit.Unusable as error:
            field = error.parameter if error.parameter in {"freedoms", "margin"} else "levels"
            raise ValidationError({field: f"{error}"}) from error
        said = self.next_actions
        if (
            not isinstance(said, dict)
            or not set(said) <= set(LevelChoice.values)
            or not all(isinstance(each, str) for each in said.values())
        ):
            raise ValidationError({"next_actions": _("Give a sentence per level, e.g. {“act”: “Ask for a rollback.”}.")})

    @property
    def grace(self) -> timedelta:
        """How late a window may be without anybody being called."""
        return timedelta(minutes=self.grace_minutes)


class OverrideQuerySet(GovernedQuerySet):
    """Overrides, by when they hold."""

    def in_force(self, at: datetime) -> Self:
        return self.filter(valid_from__lte=at).filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at))


class Override(Recorded):
    """What one region, family or model says about one parameter of a rule, for a time."""

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="overrides", verbose_name=_("rule"))
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    family = models.ForeignKey(ModelFamily, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("family"))
    model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.PROTECT, related_name="threshold_overrides", verbose_name=_("model")
    )
    parameter = models.CharField(_("parameter"), max_length=24, choices=ParameterChoice)
    value = DocumentField(_("value"))
    rationale = models.TextField(_("rationale"), blank=True)
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = models.Manager.from_queryset(OverrideQuerySet)()

    access_paths: ClassVar[Paths] = Paths(
        region=("region_id", "family__region_id", "model__region_id"), family=("family_id", "model__family_id"), model=("model_id",)
    )
    view_right: ClassVar[str] = RuleRight.VIEW

    class Meta:
        verbose_name = _("threshold override")
        verbose_name_plural = _("threshold overrides")
        ordering = ["rule", "parameter", "valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(region__isnull=False, family__isnull=True, model__isnull=True)
                | Q(region__isnull=True, family__isnull=False, model__isnull=True)
                | Q(region__isnull=True, family__isnull=True, model__isnull=False),
                name="thresholds_override_one_scope",
                violation_error_message=_("Choose one of region, family and model."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="thresholds_override_ends_after_start",
                violation_error_message=_("It ends before it begins."),
            ),
        ]
        indexes = [models.Index(fields=["rule", "parameter", "valid_from"])]

    def __str__(self) -> str:
        return f"{self.rule}: {self.parameter} @ {self.scope}"

    @property
    def scope(self) -> Region | ModelFamily | RegisteredModel | None:
        """The node that says it."""
        return self.region or self.family or self.model


class TrackQuerySet(Restricted):
    """Where series stand, by what is wrong with them."""

    def overdue(self, at: datetime) -> Self:
        """Expected series that are silent for too long and have not been called stale yet."""
        return self.filter(stale_since__isnull=True, due_by__lt=at)

    def judging(self, at: datetime, parents: dict[UUID, UUID | None] | None = None) -> Self:
        """Those whose rule is in force and selects their series: what `resolve.Resolver` says, in SQL.

        `parents`: every region's parent, where it is known already.
        """
        rules_in_force = Rule.objects.in_force(at)
        parents = parents or Region.objects.parents()
        below = Q(pk__in=[])
        for region in rules_in_force.values_list("region_id", flat=True).distinct().order_by():
            below |= Q(rule__region=region, series__region__in=tree.below(parents, [region]))
        return self.filter(
            below,
            Q(rule__method="") | Q(rule__method=F("series__method")),
            Q(rule__subject="") | Q(rule__subject=F("series__subject")),
            Q(rule__environment__isnull=True) | Q(rule__environment=F("series__environment")),
            Q(rule__tier_up_to__isnull=True) | Q(series__model__tier__isnull=True) | Q(rule__tier_up_to__gte=F("series__model__tier")),
            rule__in=rules_in_force,
            rule__metric=F("series__metric"),
            rule__direction=F("series__direction"),
        )


class Track(models.Model):
    """Where one series stands under one rule: the fold's memory, derived and replaceable, so not governed."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="tracks", verbose_name=_("series"))
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="tracks", verbose_name=_("rule"))
    level = models.CharField(_("level"), max_length=12, default=rules.Level.OK.value)
    reading = models.CharField(_("reading"), max_length=12, default=rules.Reading.NONE.value)
    state = DocumentField(_("memory"), default=dict)
    effective = DocumentField(_("judged by"), default=dict)
    last_end = models.DateTimeField(_("newest window"), null=True)
    due_by = models.DateTimeField(_("next window due"), null=True, db_index=True)
    stale_since = models.DateTimeField(_("silent since"), null=True)

    objects = models.Manager.from_queryset(TrackQuerySet)()

    access_paths: ClassVar[Paths] = Paths(
        region=("series__region_id", "series__model__region_id"), family=("series__model__family_id",), model=("series__model_id",)
    )
    view_right: ClassVar[str] = RuleRight.VIEW

    class Meta:
        verbose_name = _("standing of a series")
        verbose_name_plural = _("standings of series")
        constraints = [models.UniqueConstraint(fields=["series", "rule"], name="thresholds_track_once")]

    def __str__(self) -> str:
        return f"{self.series_id} {self.level}"

    def is_known(self, at: datetime) -> bool:
        """Whether anything may be said at all: data has come, enough of it, and not too long ago."""
        fresh = self.due_by is None or at <= self.due_by
        return self.reading == rules.Reading.KNOWN and fresh and self.stale_since is None
