"""Templates, one dossier per model and template, and its revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from stewardship.access import require
from stewardship.dossiers import providers, rules
from stewardship.dossiers.errors import TemplateIsFixed, TemplateRefused
from stewardship.dossiers.rights import DossierRight, TemplateRight
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact, GovernedQuerySet, Recorded
from stewardship.people.models import User
from stewardship.regions.models import Region


class Status(models.TextChoices):
    """Where a version of a template stands."""

    DRAFT = "draft", gettext_lazy("draft")
    IN_USE = "in_use", gettext_lazy("in use")
    RETIRED = "retired", gettext_lazy("retired")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.IN_USE, Status.RETIRED}),
    Status.IN_USE: frozenset({Status.RETIRED}),
}


class TemplateQuerySet(GovernedQuerySet):
    """Templates by where they hold."""

    def for_region(self, region: Region) -> dict[str, Template]:
        """The template in use of each slug that is nearest to this region, in their order."""
        place = {node.pk: index for index, node in enumerate(region.ancestors_and_self())}
        found = sorted(self.filter(status=Status.IN_USE, region_id__in=place), key=lambda one: place[one.region_id])
        nearest = {template.slug: template for template in found}
        return dict(sorted(nearest.items(), key=lambda item: (item[1].order, item[0])))


class Template(Recorded):
    """One version of what a dossier must hold; a region may adapt one by giving it the same slug."""

    slug = models.SlugField(gettext_lazy("slug"), max_length=60)
    version = models.PositiveIntegerField(gettext_lazy("version"), default=1)
    name = models.CharField(gettext_lazy("name"), max_length=160)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="dossier_templates", verbose_name=gettext_lazy("region"))
    status = models.CharField(gettext_lazy("status"), max_length=8, choices=Status, default=Status.DRAFT)
    order = models.PositiveIntegerField(
        gettext_lazy("order"), default=0, help_text=gettext_lazy("The first one is a model's main dossier.")
    )
    sections = DocumentField(
        gettext_lazy("sections"),
        help_text=gettext_lazy('[{"key", "title", "mandatory", "stale_after_days", "blocks": [{"key", "title", "type", "provider"}]}]'),
    )

    objects = models.Manager.from_queryset(TemplateQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = DossierRight.VIEW

    class Meta:
        verbose_name = gettext_lazy("dossier template")
        verbose_name_plural = gettext_lazy("dossier templates")
        ordering = ["order", "slug", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "region", "version"], name="dossiers_template_version"),
            models.UniqueConstraint(
                fields=["slug", "region"],
                condition=Q(status="in_use"),
                name="dossiers_template_one_in_use",
                violation_error_message=gettext_lazy("Another version of this template is in use in this region. Retire it first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def problems(self) -> list[str]:
        """Everything that is wrong with the sections, unknown providers included."""
        found = rules.problems(self.sections)
        if found:
            return found
        asked = [(block["title"], block.get("provider")) for _address, _section, block in rules.blocks(self.sections)]
        known = ", ".join(providers.names())
        text = _("'%(title)s' names the provider '%(name)s'; there are: %(known)s.")
        return [text % {"title": title, "name": name, "known": known} for title, name in asked if name and not providers.is_known(name)]

    def clean(self) -> None:
        """Every problem, beside the sections."""
        found = self.problems()
        if found:
            raise ValidationError({"sections": found})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; raises TemplateRefused when it makes no sense, and TemplateIsFixed once it is in use."""
        moving = set(kwargs.get("update_fields") or ()) == {"status"}
        if not moving:
            for problem in self.problems():
                raise TemplateRefused(problem, field="sections")
            if not self._state.adding and not type(self).objects.filter(pk=self.pk, status=Status.DRAFT).exists():
                raise TemplateIsFixed(_("A template in use does not change."), field="status", remedy=_("Draft its next version."))
        super().save(*args, **kwargs)

    def publish(self, *, actor: User, reason: str = "") -> None:
        """Revise dossiers by this version from now on; the version before it in this region is retired."""
        self._move(Status.IN_USE, actor=actor, reason=reason)

    def retire(self, *, actor: User, reason: str) -> None:
        """Use it no longer."""
        self._move(Status.RETIRED, actor=actor, reason=reason)

    def next_version(self, *, actor: User, region: Region | None = None) -> Template:
        """A draft with the same sections, for this or (an adaptation) another region."""
        home = region or self.region
        require(actor, TemplateRight.CONFIGURE, home)
        with transaction.atomic(), acting(actor):
            taken = type(self).objects.select_for_update().filter(slug=self.slug, region=home).order_by("-version").first()
            fields = ("slug", "name", "order", "sections")
            draft = type(self)(region=home, version=taken.version + 1 if taken else 1, **{name: getattr(self, name) for name in fields})
            draft.save()
        return draft

    def _move(self, to: Status, *, actor: User, reason: str) -> None:
        require(actor, TemplateRight.CONFIGURE, self.region)
        with transaction.atomic(), acting(actor, reason):
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update())
            if to not in TRANSITIONS.get(Status(self.status), frozenset()):
                raise IllegalTransition(str(Status(self.status).label), str(to.label))
            if to == Status.IN_USE:
                in_use = type(self).objects.select_for_update().filter(slug=self.slug, region=self.region, status=Status.IN_USE)
                for earlier in in_use:
                    earlier.status = Status.RETIRED
                    earlier.save(update_fields=["status"])
            self.status = to
            self.save(update_fields=["status"])


class Dossier(Recorded):
    """What is known of one model, in the form of one template; `template` is the version of its latest revision."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="dossiers", verbose_name=gettext_lazy("model"))
    slug = models.SlugField(gettext_lazy("slug of the template"), max_length=60)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="dossiers", verbose_name=gettext_lazy("template"))

    access_paths: ClassVar[Paths] = Paths(region=("model__region_id",), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = DossierRight.VIEW

    class Meta:
        verbose_name = gettext_lazy("dossier")
        verbose_name_plural = gettext_lazy("dossiers")
        constraints = [models.UniqueConstraint(fields=["model", "slug"], name="dossiers_dossier_model")]

    def __str__(self) -> str:
        return f"{self.model} · {self.slug}"

    def as_of(self, at: datetime | None = None) -> Revision | None:
        """The revision that held at this instant (now, when not given)."""
        found = self.revisions.select_related("template", "version")
        if at is not None:
            found = found.filter(at__lte=at)
        return found.order_by("-number").first()


class Revision(Fact):
    """One state of a dossier, numbered from 1, never changed."""

    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="revisions", verbose_name=gettext_lazy("dossier"))
    number = models.PositiveIntegerField(gettext_lazy("number"))
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("template"))
    version = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("version described")
    )
    content = DocumentField(gettext_lazy("content"))
    digest = models.CharField(gettext_lazy("digest"), max_length=64)

    access_paths: ClassVar[Paths] = Paths(
        region=("dossier__model__region_id",), family=("dossier__model__family_id",), model=("dossier__model_id",)
    )
    view_right: ClassVar[str] = DossierRight.VIEW
    journal_object: ClassVar[str] = "dossier_id"

    class Meta:
        verbose_name = gettext_lazy("dossier revision")
        verbose_name_plural = gettext_lazy("dossier revisions")
        constraints = [models.UniqueConstraint(fields=["dossier", "number"], name="dossiers_revision_number")]

    def __str__(self) -> str:
        return f"{self.dossier} · {self.number}"

    def completeness(self, at: datetime | None = None) -> rules.Completeness:
        """By the template that this revision was written with."""
        return rules.completeness(self.template.sections, self.content, at)
