"""Questionnaires, and the assessments made with them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from governance.risk import rules
from governance.risk.errors import QuestionnaireIsFixed, QuestionnaireRefused
from governance.risk.rights import AssessmentRight, QuestionnaireRight
from stewardship.access import require
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact, GovernedQuerySet, Recorded
from stewardship.people.models import User
from stewardship.regions.models import Region


class Status(models.TextChoices):
    """Where a version of a questionnaire stands."""

    DRAFT = "draft", gettext_lazy("draft")
    IN_USE = "in_use", gettext_lazy("in use")
    RETIRED = "retired", gettext_lazy("retired")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.IN_USE, Status.RETIRED}),
    Status.IN_USE: frozenset({Status.RETIRED}),
}


class QuestionnaireQuerySet(GovernedQuerySet):
    """Questionnaires by where they hold."""

    def in_use(self) -> Self:
        """The version of each that is asked now."""
        return self.filter(status=Status.IN_USE)

    def nearest(self, region: Region) -> Questionnaire | None:
        """The one in use that is nearest to this region, up to the root."""
        place = {node.pk: index for index, node in enumerate(region.ancestors_and_self())}
        found = self.in_use().filter(region_id__in=place)
        return max(found, key=lambda one: (place[one.region_id], one.slug), default=None)


class Questionnaire(Recorded):
    """One version of a set of weighted questions with the bands and floors that make a tier of the answers."""

    slug = models.SlugField(gettext_lazy("slug"), max_length=60)
    version = models.PositiveIntegerField(gettext_lazy("version"), default=1)
    name = models.CharField(gettext_lazy("name"), max_length=160)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="questionnaires", verbose_name=gettext_lazy("region"))
    status = models.CharField(gettext_lazy("status"), max_length=8, choices=Status, default=Status.DRAFT)
    questions = DocumentField(
        gettext_lazy("questions"), help_text=gettext_lazy('[{"key", "text", "help", "weight", "options": [{"value", "label", "points"}]}]')
    )
    bands = DocumentField(gettext_lazy("bands"), help_text=gettext_lazy('[{"at_least": 2.1, "tier": 1}, …, {"at_least": 0, "tier": 4}]'))
    floors = DocumentField(
        gettext_lazy("floors"),
        default=list,
        blank=True,
        help_text=gettext_lazy('[{"when": "answers.key == \'value\'", "tier": 2, "why": "…"}]'),
    )

    objects = models.Manager.from_queryset(QuestionnaireQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = AssessmentRight.VIEW

    class Meta:
        verbose_name = gettext_lazy("questionnaire")
        verbose_name_plural = gettext_lazy("questionnaires")
        ordering = ["slug", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "version"], name="risk_questionnaire_version"),
            models.UniqueConstraint(
                fields=["slug"],
                condition=Q(status="in_use"),
                name="risk_questionnaire_one_in_use",
                violation_error_message=gettext_lazy("Another version of this questionnaire is in use. Retire it first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def clean(self) -> None:
        """Every problem of the three documents, beside its field."""
        problems = rules.check(self.questions, self.bands, self.floors or [])
        if problems:
            raise ValidationError(
                {field: [one.text for one in problems if one.field == field] for field in {one.field for one in problems}}
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; raises QuestionnaireRefused when it makes no sense, and QuestionnaireIsFixed once it is in use."""
        for problem in rules.check(self.questions, self.bands, self.floors or []):
            raise QuestionnaireRefused(problem.text, field=problem.field)
        moving = set(kwargs.get("update_fields") or ()) == {"status"}
        if not self._state.adding and not moving and not type(self).objects.filter(pk=self.pk, status=Status.DRAFT).exists():
            raise QuestionnaireIsFixed(_("A questionnaire in use does not change."), field="status", remedy=_("Draft its next version."))
        super().save(*args, **kwargs)

    def publish(self, *, actor: User, reason: str = "") -> None:
        """Ask these questions from now on; the version before it is retired."""
        with transaction.atomic():
            self._move(Status.IN_USE, actor=actor, reason=reason)

    def retire(self, *, actor: User, reason: str) -> None:
        """Ask them no longer."""
        self._move(Status.RETIRED, actor=actor, reason=reason)

    def next_version(self, *, actor: User) -> Questionnaire:
        """A draft with the same questions."""
        require(actor, QuestionnaireRight.CONFIGURE, self.region)
        with transaction.atomic(), acting(actor):
            latest = type(self).objects.select_for_update().filter(slug=self.slug).order_by("-version").first()
            assert latest is not None
            fields = ("slug", "name", "questions", "bands", "floors", "region")
            draft = type(self)(version=latest.version + 1, **{name: getattr(latest, name) for name in fields})
            draft.save()
        return draft

    def _move(self, to: Status, *, actor: User, reason: str) -> None:
        require(actor, QuestionnaireRight.CONFIGURE, self.region)
        with transaction.atomic(), acting(actor, reason):
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update())
            if to not in TRANSITIONS.get(Status(self.status), frozenset()):
                raise IllegalTransition(str(Status(self.status).label), str(to.label))
            if to == Status.IN_USE:
                for earlier in type(self).objects.select_for_update().filter(slug=self.slug, status=Status.IN_USE):
                    earlier.status = Status.RETIRED
                    earlier.save(update_fields=["status"])
            self.status = to
            self.save(update_fields=["status"])


class AssessmentQuerySet(GovernedQuerySet):
    """Assessments by model."""

    def latest_of(self, model: RegisteredModel) -> Assessment | None:
        """The one that holds now."""
        return self.filter(model=model).order_by("-at", "-id").first()


class Assessment(Fact):
    """One judgement of a model's risk, with the questions, weights, bands and floors it was made with."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="assessments", verbose_name=gettext_lazy("model"))
    questionnaire = models.ForeignKey(
        Questionnaire, on_delete=models.PROTECT, related_name="assessments", verbose_name=gettext_lazy("questionnaire")
    )
    answers = DocumentField(gettext_lazy("answers"))
    asked = DocumentField(gettext_lazy("questions, bands and floors as they were"))
    parts = DocumentField(gettext_lazy("parts of the score"))
    floors = DocumentField(gettext_lazy("floors that held"), default=list)
    score = models.DecimalField(gettext_lazy("score"), max_digits=14, decimal_places=4)
    computed_tier = models.PositiveSmallIntegerField(gettext_lazy("computed tier"))
    tier = models.PositiveSmallIntegerField(gettext_lazy("tier"))
    rationale = models.TextField(gettext_lazy("why another tier than the computed one"), blank=True)

    objects = models.Manager.from_queryset(AssessmentQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("model__region_id",), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = AssessmentRight.VIEW
    journal_object: ClassVar[str] = "model_id"

    class Meta:
        verbose_name = gettext_lazy("risk assessment")
        verbose_name_plural = gettext_lazy("risk assessments")
        constraints = [
            models.CheckConstraint(
                condition=Q(tier=models.F("computed_tier")) | ~Q(rationale=""), name="risk_assessment_override_has_rationale"
            ),
            models.CheckConstraint(condition=Q(tier__range=(1, 4), computed_tier__range=(1, 4)), name="risk_assessment_tiers"),
        ]
        indexes = [models.Index(fields=["model", "-at"], name="risk_assessment_model")]

    def __str__(self) -> str:
        return f"{self.model}: {self.tier}"

    @property
    def is_override(self) -> bool:
        """Whether a person chose another tier than the computed one."""
        return self.tier != self.computed_tier
