"""Who is called, in which order, and how long each has: configuration."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.escalation.rights import PathRight
from stewardship.journal.record import GovernedQuerySet, Recorded


class Path(Recorded):
    """For one kind of subject, in one region and below, at one level (or any): the order in which roles are called."""

    slug = models.SlugField(_("key"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    region = models.ForeignKey("stewardship.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    subject_kind = models.CharField(_("called about"), max_length=40)
    level = models.CharField(_("level"), max_length=20, blank=True, help_text=_("Empty: every level that has no path of its own here."))
    last_wait_seconds = models.PositiveIntegerField(
        _("wait after the last step"), default=86400, help_text=_("Seconds until the last step is called again, or the path ends.")
    )
    repeats = models.PositiveSmallIntegerField(
        _("calls of the last step again"), null=True, blank=True, help_text=_("Empty: until somebody answers. 0: never.")
    )

    objects = models.Manager.from_queryset(GovernedQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = PathRight.VIEW

    class Meta:
        verbose_name = _("escalation path")
        verbose_name_plural = _("escalation paths")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["region", "subject_kind", "level"], name="one_path_per_region_kind_and_level"),
            models.CheckConstraint(
                condition=Q(last_wait_seconds__gte=1),
                name="a_path_waits_after_its_last_step",
                violation_error_message=_("The wait after the last step is at least one second."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def freeze(self) -> dict[str, Any]:
        """The path as a document, for a run that is starting."""
        return {
            "slug": self.slug,
            "name": self.name,
            "last_wait_seconds": self.last_wait_seconds,
            "repeats": self.repeats,
            "steps": [
                {
                    "role": step.role.slug,
                    "role_name": step.role.name,
                    "scope": step.scope,
                    "after_seconds": step.after_seconds,
                    "clock": step.clock,
                    "channel": step.channel,
                    "expects": step.expects,
                    "on_timeout": step.on_timeout,
                }
                for step in self.steps.select_related("role").order_by("order")
            ],
        }


class Step(Recorded):
    """One call of a path."""

    class Scope(models.TextChoices):
        MODEL = "model", _("nearest to the model")
        REGION = "region", _("of the region")
        ROOT = "root", _("of the whole organisation")

    class Clock(models.TextChoices):
        ELAPSED = "elapsed", _("elapsed time")
        WORKING = "working", _("working time")

    class StepChannel(models.TextChoices):
        EMAIL = "email", _("e-mail and portal")
        PORTAL = "portal", _("portal only")

    class Expects(models.TextChoices):
        ACKNOWLEDGE = "acknowledge", _("to acknowledge")
        DECIDE = "decide", _("to decide")
        ACT = "act", _("to act")

    class OnTimeout(models.TextChoices):
        NEXT = "next", _("call the next step")
        END = "end", _("end the path")

    path = models.ForeignKey(Path, on_delete=models.PROTECT, related_name="steps", verbose_name=_("path"))
    order = models.PositiveSmallIntegerField(_("order"))
    role = models.ForeignKey("stewardship.Role", on_delete=models.PROTECT, related_name="+", verbose_name=_("role"))
    scope = models.CharField(_("holder"), max_length=10, choices=Scope, default=Scope.MODEL)
    after_seconds = models.PositiveIntegerField(_("after"), help_text=_("Seconds after the call before it (the first: after the start)."))
    clock = models.CharField(_("clock"), max_length=10, choices=Clock, default=Clock.ELAPSED)
    channel = models.CharField(_("channel"), max_length=10, choices=StepChannel, default=StepChannel.EMAIL)
    expects = models.CharField(_("expected"), max_length=12, choices=Expects, default=Expects.ACKNOWLEDGE)
    on_timeout = models.CharField(_("without an answer"), max_length=10, choices=OnTimeout, default=OnTimeout.NEXT)

    objects = models.Manager.from_queryset(GovernedQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("path__region_id",))
    view_right: ClassVar[str] = PathRight.VIEW

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["path", "order"]
        constraints = [models.UniqueConstraint(fields=["path", "order"], name="one_step_per_position")]

    def __str__(self) -> str:
        return f"{self.order}. {self.role}"

    def clean(self) -> None:
        """A step after one that ends the path could never be reached."""
        if self.on_timeout == self.OnTimeout.END and self.path_id and self.path.steps.filter(order__gt=self.order).exists():
            raise ValidationError({"on_timeout": _("Steps follow this one; only the last step can end the path.")})
