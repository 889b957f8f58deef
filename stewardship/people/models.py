"""Accounts, and what changes who stands in for whom: teams, absences, delegations."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, NoReturn, Self
from uuid import UUID
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.journal.acting import SYSTEM_USER_ID, acting
from stewardship.journal.record import GovernedQuerySet, History, Recorded
from stewardship.people import changes
from stewardship.people.errors import NeverDeleted
from stewardship.people.rights import PersonRight
from stewardship.regions.models import Region

SYSTEM_USERNAME = "system"


def check_zone(name: str) -> None:
    """Raises ValidationError for what is no IANA time zone."""
    if name not in available_timezones():
        raise ValidationError(_("This is no time zone name; use one like Europe/Berlin."))


class UserQuerySet(GovernedQuerySet):
    """People, by what they can still do."""

    def active(self) -> Self:
        """Natural people who may sign in."""
        return self.filter(is_active=True, is_system=False)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    """Makes accounts; inside `acting()`, like every governed write."""

    def create_user(self, username: str, email: str = "", password: str | None = None, **fields: Any) -> User:
        """A new account; without a password it can sign in once the person has set one by a link."""
        user: User = self.model(username=self.model.normalize_username(username), email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, email: str = "", password: str | None = None, **fields: Any) -> User:
        """An account that may configure the installation; it answers to itself, there being nobody else yet. No wider reach."""
        with acting(system_user(), "Created from the command line"):
            return self.create_user(username, email, password, is_staff=True, is_superuser=True, **fields)


class User(Recorded, AbstractBaseUser, PermissionsMixin):
    """A person (or the system). Deactivated when they leave, never deleted, so that what they did keeps its name."""

    username = models.CharField(_("username"), max_length=150, unique=True, validators=[UnicodeUsernameValidator()])
    email = models.EmailField(_("e-mail address"), blank=True)
    full_name = models.CharField(_("full name"), max_length=200, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_zone])
    language = models.CharField(_("language"), max_length=12, default="en")
    home_region = models.ForeignKey(
        Region, null=True, blank=True, on_delete=models.PROTECT, related_name="people", verbose_name=_("home region")
    )
    theme = models.CharField(
        _("appearance"),
        max_length=8,
        default="auto",
        choices=[("auto", _("as the device")), ("light", _("light")), ("dark", _("dark"))],
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_system = models.BooleanField(_("the system itself"), default=False, editable=False)
    is_staff = models.BooleanField(_("may open the configuration"), default=False)
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)
    # SECURITY: a column that changes with every sign-in would journal who worked when.
    last_login = None

    history = History(excluded_fields=["password"])
    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    access_paths: ClassVar[Paths] = Paths(region=("home_region_id",))
    view_right: ClassVar[str] = PersonRight.VIEW
    personal: ClassVar[frozenset[str]] = frozenset({"username", "email", "full_name"})

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["full_name", "username"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="people_user_email_once",
                violation_error_message=_("Somebody else has this e-mail address."),
            ),
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(is_system=True),
                name="people_user_one_system",
                violation_error_message=_("There is one system account."),
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        """The printed name, as it stands on signatures."""
        return self.full_name or self.username

    def get_short_name(self) -> str:
        """The name for small places."""
        return self.full_name.partition(" ")[0] or self.username

    def check_password(self, raw_password: str | None) -> bool:
        # A hash made with older settings is renewed here, which is a save, which needs somebody who acts.
        with acting(self, "Signed in"):
            return super().check_password(raw_password)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and record; whoever leaves or comes back takes the grants of their stand-ins along, in one transaction."""
        named = kwargs.get("update_fields")
        with transaction.atomic():
            before = None
            if not self._state.adding and (named is None or "is_active" in named):
                before = User.objects.filter(pk=self.pk).values_list("is_active", flat=True).first()
            super().save(*args, **kwargs)
            if before is not None and before != self.is_active:
                changes.changed([self.pk])

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Always raises NeverDeleted."""
        raise NeverDeleted(gettext("People are never deleted."), remedy=gettext("Deactivate the account instead."))


def system_user() -> User:
    """The account that jobs and the tick act as; nobody can sign in with it."""
    found: User = User.objects.get(pk=SYSTEM_USER_ID)
    return found


class Team(Recorded):
    """People who hold a role together; accountable can only be a person."""

    slug = models.SlugField(_("short name"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="teams", verbose_name=_("region"))

    access_paths: ClassVar[Paths] = Paths(region=("region_id",))
    view_right: ClassVar[str] = PersonRight.VIEW

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DatedQuerySet(GovernedQuerySet):
    """Rows that hold from `starts` (inclusive) to `ends` (exclusive; open when empty)."""

    def in_force(self, at: datetime) -> Self:
        """Those that hold at this instant."""
        return self.filter(Q(ends__isnull=True) | Q(ends__gt=at), starts__lte=at)


class Dated(Recorded):
    """Something about a person that holds for a while."""

    starts = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"), null=True, blank=True)

    objects = models.Manager.from_queryset(DatedQuerySet)()

    view_right: ClassVar[str] = PersonRight.VIEW

    class Meta:
        abstract = True

    @property
    def concerns(self) -> list[UUID]:
        """The people whose grants follow from this row."""
        return []

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save and record, and tell those who derive grants from it, in one transaction."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            changes.changed(self.concerns)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete and record, and tell those who derive grants from it, in one transaction."""
        concerns = self.concerns
        with transaction.atomic():
            found = super().delete(*args, **kwargs)
            changes.changed(concerns)
        return found


def _ends_after_start(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(ends__isnull=True) | Q(ends__gt=F("starts")), name=name, violation_error_message=_("It ends before it begins.")
    )


class Membership(Dated):
    """A person in a team, from–until."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("team"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("person"))

    access_paths: ClassVar[Paths] = Paths(region=("team__region_id",))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            _ends_after_start("people_membership_ends_after_start"),
            models.UniqueConstraint(
                fields=["team", "user"],
                condition=Q(ends__isnull=True),
                name="people_membership_open_once",
                violation_error_message=_("This person is in the team already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.team}"

    @property
    def concerns(self) -> list[UUID]:
        return [self.user_id]


class Absence(Dated):
    """A time in which a person is not to be called; a delegate is called instead."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="absences", verbose_name=_("person"))

    access_paths: ClassVar[Paths] = Paths(region=("user__home_region_id",))

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        constraints = [_ends_after_start("people_absence_ends_after_start")]

    def __str__(self) -> str:
        return str(self.user)


class Delegation(Dated):
    """For a while one person does what another may do. Not passed on further, and it makes nobody eligible for a role."""

    delegator = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="delegations_given", verbose_name=pgettext_lazy("person", "from")
    )
    delegate = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="delegations_received", verbose_name=pgettext_lazy("person", "to")
    )

    access_paths: ClassVar[Paths] = Paths(region=("delegator__home_region_id",))

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        constraints = [
            _ends_after_start("people_delegation_ends_after_start"),
            models.CheckConstraint(
                condition=~Q(delegator=F("delegate")),
                name="people_delegation_not_to_oneself",
                violation_error_message=_("Nobody stands in for themselves. Choose somebody else."),
            ),
            # Whoever delegates says until when; an open end would be a transfer.
            models.CheckConstraint(
                condition=Q(ends__isnull=False),
                name="people_delegation_has_an_end",
                violation_error_message=_("A delegation needs an end."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delegator} → {self.delegate}"

    @property
    def concerns(self) -> list[UUID]:
        return [self.delegate_id]
