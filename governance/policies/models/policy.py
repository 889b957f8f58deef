"""A policy of a region, and its numbered versions; a version that was published never changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.errors import IllegalTransition
from config.portal.permission import Paths
from governance.policies import hooks
from governance.policies.errors import NotPublishable, PolicyIsFixed
from governance.policies.rights import PolicyRight
from stewardship.access import require
from stewardship.journal.acting import acting, moment
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.people.models import User
from stewardship.regions.models import Region


class Policy(Recorded):
    """A set of rules that one region gives itself; it holds for everything below that region too."""

    slug = models.SlugField(gettext_lazy("slug"), max_length=60, unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=160)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="policies", verbose_name=gettext_lazy("region"))
    description = models.TextField(gettext_lazy("what it is for"), blank=True)

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = PolicyRight.VIEW

    class Meta:
        verbose_name = gettext_lazy("policy")
        verbose_name_plural = gettext_lazy("policies")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def was_published(self) -> bool:
        """Whether a version of it holds, held or is to hold: then findings, waivers and permits name it, and its region is settled."""
        return not self._state.adding and self.versions.exclude(effective_from__isnull=True).exists()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; raises PolicyIsFixed when region or slug are to change after a version was published."""
        # The stored row is asked: what this instance says is what is wanted.
        if self.was_published and not type(self).objects.filter(pk=self.pk, slug=self.slug, region=self.region_id).exists():
            raise PolicyIsFixed(
                _("Region and slug of a policy that was published do not change."),
                field="region",
                remedy=_("Retire it, and adopt a new policy there."),
            )
        super().save(*args, **kwargs)


class Status(models.TextChoices):
    """Where a version of a policy stands."""

    DRAFT = "draft", gettext_lazy("draft")
    IN_FORCE = "in_force", gettext_lazy("in force")
    RETIRED = "retired", gettext_lazy("retired")


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.IN_FORCE, Status.RETIRED}),
    Status.IN_FORCE: frozenset({Status.RETIRED}),
}


class PolicyVersionQuerySet(GovernedQuerySet):
    """Versions by the time in which they hold."""

    def in_force(self, at: datetime, regions: Iterable[UUID] | None = None) -> Self:
        """Versions that hold at this instant, also a past one; of these regions' policies where given."""
        begun = Q(effective_from__lte=at) & (Q(effective_until__isnull=True) | Q(effective_until__gt=at))
        found = self.exclude(status=Status.DRAFT).filter(begun)
        return found if regions is None else found.filter(policy__region_id__in=list(regions))


class PolicyVersion(Recorded):
    """One numbered text of a policy: a draft, in force from a day on, or retired."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions", verbose_name=gettext_lazy("policy"))
    number = models.PositiveIntegerField(gettext_lazy("number"))
    status = models.CharField(gettext_lazy("status"), max_length=12, choices=Status, default=Status.DRAFT)
    effective_from = models.DateTimeField(gettext_lazy("in force from"), null=True, blank=True)
    effective_until = models.DateTimeField(gettext_lazy("in force until"), null=True, blank=True)
    notes = models.TextField(gettext_lazy("what changed"), blank=True)

    objects = models.Manager.from_queryset(PolicyVersionQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("policy__region_id",))
    view_right: ClassVar[str] = PolicyRight.VIEW

    class Meta:
        verbose_name = gettext_lazy("policy version")
        verbose_name_plural = gettext_lazy("policy versions")
        ordering = ["policy", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="policies_version_number"),
            models.UniqueConstraint(
                fields=["policy"],
                condition=Q(status="draft"),
                name="policies_version_one_draft",
                violation_error_message=gettext_lazy("This policy has a draft already. Edit or retire that one."),
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gte=F("effective_from")),
                name="policies_version_ends_after_start",
                violation_error_message=gettext_lazy("It ends before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "retired"]) | Q(effective_from__isnull=False),
                name="policies_version_has_start",
                violation_error_message=gettext_lazy("A version in force needs a start."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} {self.number}"

    @property
    def is_draft(self) -> bool:
        """Whether its rules may still be edited."""
        return self.status == Status.DRAFT

    def publish(self, *, actor: User, effective_from: datetime | None = None, reason: str = "") -> None:
        """Bring this draft into force, from now or a later instant; the version before it ends at that instant.

        Raises NotPublishable without rules, or with a start in the past: what was decided then cannot be judged anew.
        """
        require(actor, PolicyRight.CONFIGURE, self.policy)
        with transaction.atomic(), acting(actor, reason):
            self._lock(Status.IN_FORCE)
            now = moment()
            start = effective_from or now
            if start < now:
                raise NotPublishable(
                    _("A policy cannot come into force in the past."), field="effective_from", remedy=_("Leave it empty for now.")
                )
            if not self.rules.exists():
                raise NotPublishable(_("This version has no rules."), field="rules", remedy=_("Add a rule, then publish."))
            for earlier in self.policy.versions.select_for_update().filter(status=Status.IN_FORCE).exclude(pk=self.pk):
                earlier._end(start, now)
            self.status, self.effective_from = Status.IN_FORCE, start
            self.save(update_fields=["status", "effective_from"])
            hooks.changed(self.policy.region, actor=actor)

    def retire(self, *, actor: User, reason: str) -> None:
        """End it now; a draft is dropped."""
        require(actor, PolicyRight.CONFIGURE, self.policy)
        with transaction.atomic(), acting(actor, reason):
            self._lock(Status.RETIRED)
            if self.is_draft:
                self.status = Status.RETIRED
                self.save(update_fields=["status"])
            else:
                self._end(moment(), moment())
            hooks.changed(self.policy.region, actor=actor)

    def _lock(self, wanted: Status) -> None:
        # Two people may press publish at once: the policy row is the lock for all of its versions.
        Policy.objects.select_for_update().get(pk=self.policy_id)
        self.refresh_from_db()
        if wanted not in TRANSITIONS.get(Status(self.status), frozenset()):
            raise IllegalTransition(str(Status(self.status).label), str(wanted.label))

    def _end(self, end: datetime, now: datetime) -> None:
        """Hold until `end`; one that ends before it ever began is retired without having held."""
        assert self.effective_from is not None
        self.effective_until = max(end, self.effective_from)
        if end <= now or self.effective_from >= end:
            self.status = Status.RETIRED
        self.save(update_fields=["status", "effective_until"])
