"""Families, registered models and their versions, and where versions run."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from stewardship.access import require
from stewardship.access.models import Grant
from stewardship.inventory.errors import BadField
from stewardship.inventory.rights import DeploymentRight, ModelRight, VersionRight
from stewardship.journal.acting import acting
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.regions.models import LegalEntity, Region

if TYPE_CHECKING:
    from stewardship.people.models import User

TIERS = (1, 2, 3, 4)
sha256 = RegexValidator(r"^[0-9a-f]{64}$", _("A digest is 64 characters of lower-case hex (SHA-256)."))


class Project(Recorded):
    """An undertaking that models are built for."""

    slug = models.SlugField(_("short name"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=160)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="projects", verbose_name=_("region"))

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = ModelRight.VIEW

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DataDomain(Recorded):
    """A subject area of data, such as customers or claims."""

    slug = models.SlugField(_("short name"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=160)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = ModelRight.VIEW

    class Meta:
        verbose_name = _("data domain")
        verbose_name_plural = _("data domains")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Environment(Recorded):
    """Where versions run, in the order in which they get there."""

    slug = models.SlugField(_("short name"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    production = models.BooleanField(_("touches customers"), default=False)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = DeploymentRight.VIEW

    class Meta:
        verbose_name = _("environment")
        verbose_name_plural = _("environments")
        ordering = ["order", "slug"]

    def __str__(self) -> str:
        return self.name


class ModelFamily(Recorded):
    """Models that belong together and have one owner, so that one version's improvement does not undermine its siblings."""

    slug = models.SlugField(_("short name"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=160)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="families", verbose_name=_("region"))
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.PROTECT, related_name="families", verbose_name=_("project")
    )
    domain = models.ForeignKey(
        DataDomain, null=True, blank=True, on_delete=models.PROTECT, related_name="families", verbose_name=_("data domain")
    )
    purpose = models.TextField(_("purpose"), blank=True)

    access_paths: ClassVar[Paths] = Paths(region=("region_id",), family=("id",))
    view_right: ClassVar[str] = ModelRight.VIEW

    class Meta:
        verbose_name = _("model family")
        verbose_name_plural = _("model families")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Stage(models.TextChoices):
    """Where a model is in its life."""

    CONCEPT = "concept", _("concept")
    DEVELOPMENT = "development", _("development")
    VALIDATION = "validation", _("validation")
    APPROVAL = "approval", _("approval")
    DEPLOYMENT = "deployment", _("deployment")
    MONITORING = "monitoring", _("in use, monitored")
    RETIRED = "retired", _("retired")


TRANSITIONS: dict[Stage, frozenset[Stage]] = {
    Stage.CONCEPT: frozenset({Stage.DEVELOPMENT, Stage.RETIRED}),
    Stage.DEVELOPMENT: frozenset({Stage.VALIDATION, Stage.RETIRED}),
    Stage.VALIDATION: frozenset({Stage.APPROVAL, Stage.DEVELOPMENT, Stage.RETIRED}),
    Stage.APPROVAL: frozenset({Stage.DEPLOYMENT, Stage.VALIDATION, Stage.DEVELOPMENT, Stage.RETIRED}),
    Stage.DEPLOYMENT: frozenset({Stage.MONITORING, Stage.DEVELOPMENT, Stage.RETIRED}),
    Stage.MONITORING: frozenset({Stage.DEVELOPMENT, Stage.VALIDATION, Stage.RETIRED}),
}


class Ruling(models.TextChoices):
    """Whether this counts as a model at all; the answer decides which rules apply."""

    MODEL = "model", _("model")
    NON_MODEL = "non_model", _("not a model")
    PENDING = "pending", _("not ruled yet")


class RegisteredModelQuerySet(GovernedQuerySet):
    """Models, by where they are in their life."""

    def in_use(self) -> Self:
        """Deployed somewhere or monitored."""
        return self.filter(stage__in=[Stage.DEPLOYMENT, Stage.MONITORING])

    def not_retired(self) -> Self:
        """Everything that somebody must still answer for."""
        return self.exclude(stage=Stage.RETIRED)


class RegisteredModel(Recorded):
    """A governed machine-learning model: what it is for, what depends on it, how much rides on it."""

    slug = models.SlugField(_("short name"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    family = models.ForeignKey(ModelFamily, on_delete=models.PROTECT, related_name="models", verbose_name=_("family"))
    # No index of its own: with one, SQLite fetches and sorts a region's thousands of rows to show 25; those in Meta are in order.
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="models", verbose_name=_("region"), db_index=False)
    legal_entity = models.ForeignKey(
        LegalEntity, null=True, blank=True, on_delete=models.PROTECT, related_name="models", verbose_name=_("legal entity")
    )
    purpose = models.TextField(_("purpose"))
    outcome = models.TextField(_("business outcome"), blank=True)
    outcome_measure = models.TextField(_("how the outcome is measured"), blank=True)
    exposure = models.TextField(_("exposure"), blank=True, help_text=_("Whom and how much its output touches."))
    purpose_class = models.CharField(_("class of purpose"), max_length=80, blank=True)
    technique = models.CharField(_("technique"), max_length=120, blank=True)
    tier = models.PositiveSmallIntegerField(_("tier"), null=True, blank=True, choices=[(tier, str(tier)) for tier in TIERS])
    stage = models.CharField(_("stage"), max_length=16, choices=Stage, default=Stage.CONCEPT)
    ruling = models.CharField(_("ruling"), max_length=12, choices=Ruling, default=Ruling.PENDING)
    ruling_rationale = models.TextField(_("why so ruled"), blank=True)
    provider = models.CharField(_("outside provider"), max_length=160, blank=True)
    registered_at = models.DateTimeField(_("registered"))

    objects = models.Manager.from_queryset(RegisteredModelQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",), family=("family_id",), model=("id",))
    view_right: ClassVar[str] = ModelRight.VIEW

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["name", "id", "region"]),  # walks the register in order and judges regions on the way
            models.Index(fields=["region", "name", "id"]),  # counts regions without touching the rows
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(tier__isnull=True) | Q(tier__gte=1, tier__lte=4),
                name="inventory_model_tier_1_to_4",
                violation_error_message=_("A tier is a number from 1 to 4."),
            ),
            models.CheckConstraint(
                condition=~Q(ruling="non_model") | ~Q(ruling_rationale=""),
                name="inventory_model_ruling_has_rationale",
                violation_error_message=_("Say why this is not a model."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def set_tier(self, tier: int, *, actor: User, reason: str) -> None:
        """Record how much risk rides on this model, 1 (most) to 4."""
        require(actor, ModelRight.SET_TIER, self)
        if tier not in TIERS:
            raise BadField(gettext("There is no tier %(tier)s.") % {"tier": tier}, field="tier", remedy=gettext("Choose 1, 2, 3 or 4."))
        with transaction.atomic():
            self.refresh_from_db(from_queryset=type(self)._default_manager.select_for_update())
            if self.tier == tier:
                return
            self.tier = tier
            with acting(actor, reason):
                self.save(update_fields=["tier"])

    def move_to(self, stage: Stage, *, actor: User, reason: str) -> None:
        """Move to another stage of life; raises IllegalTransition where TRANSITIONS has no such step."""
        require(actor, ModelRight.MOVE, self)
        with transaction.atomic():
            self.refresh_from_db(from_queryset=type(self)._default_manager.select_for_update())  # judge the row, not our copy
            if stage not in TRANSITIONS.get(Stage(self.stage), frozenset()):
                raise IllegalTransition(
                    str(self.get_stage_display()), str(Stage(stage).label), remedy=gettext("Look at the model's stage again.")
                )
            self.stage = stage
            with acting(actor, reason):
                self.save(update_fields=["stage"])

    def live(self, at: datetime | None = None) -> models.QuerySet[Deployment]:
        """Where its versions run now, or ran at `at`."""
        return Deployment.objects.live(at).filter(model=self).select_related("version", "environment", "region")


class ModelVersion(Recorded):
    """One build of a model, known by the digest of its artifact."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="versions", verbose_name=_("model"))
    label = models.CharField(_("version"), max_length=80)
    digest = models.CharField(_("digest"), max_length=64, unique=True, validators=[sha256])
    uri = models.CharField(_("where the artifact lies"), max_length=500, blank=True)
    code_revision = models.CharField(_("code revision"), max_length=120, blank=True)
    committer = models.CharField(_("committer"), max_length=200, blank=True)
    reviewer = models.CharField(_("reviewer of the code"), max_length=200, blank=True)
    run = models.CharField(_("training run"), max_length=200, blank=True)
    datasets = DocumentField(_("data sets"), default=list, blank=True)
    libraries = DocumentField(_("libraries"), default=dict, blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors", verbose_name=_("made from")
    )
    notes = models.TextField(_("notes"), blank=True)
    registered_at = models.DateTimeField(_("registered"))

    access_paths: ClassVar[Paths] = Paths(region=("model__region_id",), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = VersionRight.VIEW
    personal: ClassVar[frozenset[str]] = frozenset({"committer", "reviewer"})

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["-registered_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["model", "label"], name="inventory_version_label_once")]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """A version is made from a version of the same model."""
        if self.parent is not None and self.parent.model_id != self.model_id:
            raise ValidationError({"parent": _("This is a version of another model.")})


class DeploymentQuerySet(GovernedQuerySet):
    """Deployments, by when they ran."""

    def live(self, at: datetime | None = None) -> Self:
        """Running now, or at `at`."""
        if at is None:
            return self.filter(ended_at__isnull=True, started_at__lte=timezone.now())
        return self.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), started_at__lte=at)


class Deployment(Recorded):
    """A version that runs in an environment of a region, from–until, for a share of the traffic."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="deployments", verbose_name=_("model"))
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="deployments", verbose_name=_("version"))
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="deployments", verbose_name=_("environment"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="deployments", verbose_name=_("region"))
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    share = models.DecimalField(_("share of the traffic"), max_digits=5, decimal_places=4, default=Decimal(1))

    objects = models.Manager.from_queryset(DeploymentQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id", "model__region_id"), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = DeploymentRight.VIEW

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        ordering = ["-started_at", "-id"]
        constraints = [
            # One answer to "what runs there?": the model is repeated here so that the database can hold it.
            models.UniqueConstraint(
                fields=["model", "environment", "region"], condition=Q(ended_at__isnull=True), name="inventory_deployment_one_live"
            ),
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=1), name="inventory_deployment_share"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="inventory_deployment_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} · {self.environment} · {self.region}"


class FamilyGrant(Grant):
    """Holds for every model of the family."""

    content_object = models.ForeignKey(ModelFamily, on_delete=models.CASCADE, verbose_name=_("model family"))

    access_paths: ClassVar[Paths] = Paths(region=("content_object__region_id",), family=("content_object_id",))

    class Meta:
        verbose_name = _("grant on a model family")
        verbose_name_plural = _("grants on model families")
        default_permissions = ()


class ModelGrant(Grant):
    """Holds for one model."""

    content_object = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, verbose_name=_("model"))

    access_paths: ClassVar[Paths] = Paths(
        region=("content_object__region_id",), family=("content_object__family_id",), model=("content_object_id",)
    )

    class Meta:
        verbose_name = _("grant on a model")
        verbose_name_plural = _("grants on models")
        default_permissions = ()
