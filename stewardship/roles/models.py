"""Roles and their rights, who holds them on which scope, and which roles must be two people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.access.rights import is_defined
from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.journal.acting import moment
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.people.models import Team, User
from stewardship.regions.models import Region
from stewardship.roles import granting
from stewardship.roles.errors import RoleInUse
from stewardship.roles.rights import AssignmentRight, RoleRight

Scope = Region | ModelFamily | RegisteredModel


class Combine(models.TextChoices):
    """What a nearer assignment does to a farther one."""

    REPLACE = "replace", _("the nearest holds it alone")
    ADD = "add", _("near and far hold it together")


KIND = ("accountable", "combine", "second_line")


class Role(Recorded):
    """A part that people play; what it may do is set here, right by right."""

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("what it is for"), blank=True)
    combine = models.CharField(_("combines"), max_length=8, choices=Combine, default=Combine.ADD)
    second_line = models.BooleanField(
        _("second line"), default=False, help_text=_("Independent of the owners: never replaced from below, appointed by the second line.")
    )
    accountable = models.BooleanField(
        _("accountable"), default=False, help_text=_("Exactly one natural person per model answers in this role.")
    )
    delegable = models.BooleanField(_("can be delegated"), default=True)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = RoleRight.VIEW

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(accountable=True),
                name="roles_role_one_accountable",
                violation_error_message=_("There is one accountable role already."),
            ),
            # Two people who are accountable together are nobody.
            models.CheckConstraint(
                condition=Q(accountable=False) | Q(combine="replace"),
                name="roles_role_accountable_replaces",
                violation_error_message=_("The accountable role of a model replaces that of its region: choose “replace”."),
            ),
            models.CheckConstraint(
                condition=Q(second_line=False) | Q(combine="add"),
                name="roles_role_second_line_adds",
                violation_error_message=_("A role of the second line is never replaced from below: choose “add”."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def check_kind(self) -> None:
        """Raises RoleInUse when somebody holds the role, or will, and its kind is not the stored one.

        Who was appointed to one kind of role was never judged for another: two people would be accountable together, or an owner
        would find themselves in the second line.
        """
        if self._state.adding:
            return
        stored = Role.objects.filter(pk=self.pk).select_for_update().first()
        changed = [field for field in KIND if stored is not None and getattr(stored, field) != getattr(self, field)]
        # One that was ended before it began holds at no instant.
        held = RoleAssignment.objects.filter(role=self).overlapping(moment(), None).exclude(valid_until=F("valid_from"))
        if changed and held.exists():
            raise RoleInUse(
                str(_("Somebody holds this role, so its kind is settled.")),
                field=changed[0],
                remedy=str(_("End its assignments first, or define another role.")),
            )

    def clean(self) -> None:
        """The refusal of `check_kind`, said at its field."""
        with transaction.atomic():
            try:
                self.check_kind()
            except RoleInUse as error:
                raise ValidationError({error.field: f"{error.message} {error.remedy}"}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and record; what the role passes on may have changed, so its holders' grants are made anew. Raises RoleInUse."""
        with transaction.atomic():
            new = self._state.adding
            self.check_kind()
            super().save(*args, **kwargs)
            if not new:
                granting.rebuild_role(self.pk)


class Raci(models.TextChoices):
    """How a role takes part in a decision."""

    RESPONSIBLE = "R", _("responsible")
    ACCOUNTABLE = "A", _("accountable")
    CONSULTED = "C", _("consulted")
    INFORMED = "I", _("informed")


ACTING = (Raci.RESPONSIBLE, Raci.ACCOUNTABLE)


def check_right(right: str) -> None:
    """Raises ValidationError for a right that no slice has registered."""
    if not is_defined(right):
        raise ValidationError(_("There is no right %(right)s.") % {"right": right})


class DecisionRight(Recorded):
    """One cell of the matrix: this role takes part in this decision in this way. R and A may do it; C and I are told."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="decision_rights", verbose_name=_("role"))
    right = models.CharField(_("right"), max_length=100, validators=[check_right])
    raci = models.CharField(_("takes part as"), max_length=1, choices=Raci, default=Raci.RESPONSIBLE)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = RoleRight.VIEW

    class Meta:
        verbose_name = _("decision right")
        verbose_name_plural = _("decision rights")
        ordering = ["role", "right"]
        constraints = [models.UniqueConstraint(fields=["role", "right"], name="roles_decisionright_once")]

    def __str__(self) -> str:
        return f"{self.role} · {self.right} · {self.raci}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and record, and give or take the right to everybody who holds the role."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            granting.rebuild_role(self.role_id)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete and record, and take the right from everybody who holds the role."""
        role = self.role_id
        with transaction.atomic():
            found = super().delete(*args, **kwargs)
            granting.rebuild_role(role)
        return found


class RoleAssignmentQuerySet(GovernedQuerySet):
    """Assignments, by when and where they hold."""

    def in_force(self, at: datetime) -> Self:
        """Those that hold at this instant."""
        return self.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at), valid_from__lte=at)

    def overlapping(self, start: datetime, end: datetime | None) -> Self:
        """Those that hold at some instant from `start` to `end` (exclusive; None: for ever)."""
        rows = self.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=start))
        return rows if end is None else rows.filter(valid_from__lt=end)

    def on(self, scope: Scope) -> Self:
        """Those made on exactly this scope."""
        return self.filter(**{scope_field(scope): scope})


def scope_field(scope: Scope) -> str:
    """The column that names this kind of scope."""
    return {Region: "region", ModelFamily: "family", RegisteredModel: "model"}[type(scope)]


_ONE_SCOPE = (
    Q(region__isnull=False, family__isnull=True, model__isnull=True)
    | Q(region__isnull=True, family__isnull=False, model__isnull=True)
    | Q(region__isnull=True, family__isnull=True, model__isnull=False)
)


class RoleAssignment(Recorded):
    """A person or a team holds a role on one scope, from–until."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("role"))
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("person"))
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("team"))
    region = models.ForeignKey(
        Region, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("region")
    )
    family = models.ForeignKey(
        ModelFamily, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("family")
    )
    model = models.ForeignKey(
        RegisteredModel, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("model")
    )
    valid_from = models.DateTimeField(_("from"))
    valid_until = models.DateTimeField(_("until"), null=True, blank=True)
    rationale = models.TextField(_("why"))
    # Repeated from the role, because a constraint cannot look into another table.
    exclusive = models.BooleanField(_("one person only"), default=False, editable=False)

    objects = models.Manager.from_queryset(RoleAssignmentQuerySet)()

    access_paths: ClassVar[Paths] = Paths(
        region=("region_id", "family__region_id", "model__region_id"),
        family=("family_id", "model__family_id"),
        model=("model_id",),
    )
    view_right: ClassVar[str] = AssignmentRight.VIEW

    class Meta:
        verbose_name = _("role assignment")
        verbose_name_plural = _("role assignments")
        ordering = ["role", "valid_from", "id"]
        constraints = [
            models.CheckConstraint(
                condition=_ONE_SCOPE,
                name="roles_assignment_one_scope",
                violation_error_message=_("Choose one of region, family and model."),
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
                name="roles_assignment_person_or_team",
                violation_error_message=_("Choose a person or a team, not both."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="roles_assignment_ends_after_start",
                violation_error_message=_("It ends before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(exclusive=False) | Q(team__isnull=True),
                name="roles_assignment_accountable_person",
                violation_error_message=_("An accountable role is held by one person, not by a team."),
            ),
            *(
                models.UniqueConstraint(
                    fields=["role", scope],
                    condition=Q(exclusive=True, valid_until__isnull=True),
                    name=f"roles_assignment_one_per_{scope}",
                    violation_error_message=_("Somebody holds this role here already. End that assignment first."),
                )
                for scope in ("region", "family", "model")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.holder} · {self.scope}"

    @property
    def holder(self) -> User | Team:
        """Whom it was given to."""
        return self.user if self.user is not None else self._team

    @property
    def _team(self) -> Team:
        assert self.team is not None  # the check constraint says so
        return self.team

    @property
    def scope(self) -> Scope:
        """What it was given on."""
        found = self.model or self.family or self.region
        assert found is not None  # the check constraint says so
        return found

    @property
    def scope_key(self) -> tuple[str, UUID]:
        """Kind and id of the scope, without reading it."""
        if self.model_id is not None:
            return "model", self.model_id
        if self.family_id is not None:
            return "family", self.family_id
        assert self.region_id is not None  # the check constraint says so
        return "region", self.region_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and record, and make the holders' grants what they should be, in one transaction."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            granting.rebuild_assignment(self)

    def end(self, *, actor: User, reason: str = "", at: datetime | None = None) -> None:
        """The role ends now (or at `at`, later); its grants end with it. Raises AlreadyEnded."""
        from stewardship.roles.assign import end

        end(self, actor=actor, reason=reason, at=at)


class SeparationRule(Recorded):
    """Two roles that one person may not hold over the same model."""

    first = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="separated_first", verbose_name=_("role"))
    second = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="separated_second", verbose_name=_("and role"))
    rationale = models.TextField(_("why"), blank=True)

    access_paths: ClassVar[Paths] = Paths(unscoped=True)
    view_right: ClassVar[str] = RoleRight.VIEW

    class Meta:
        verbose_name = _("separation of duties")
        verbose_name_plural = _("separations of duties")
        constraints = [
            models.CheckConstraint(
                condition=~Q(first=F("second")),
                name="roles_separation_two_roles",
                violation_error_message=_("A role cannot be held apart from itself. Choose another one."),
            ),
            models.UniqueConstraint(fields=["first", "second"], name="roles_separation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.first} ≠ {self.second}"
