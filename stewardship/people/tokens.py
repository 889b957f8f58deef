"""Access tokens for programs: shown once, kept as a digest, limited in scope and time. They can never sign."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import authentication, exceptions, permissions

from config.portal.permission import Paths, permits
from stewardship.journal.acting import acting, moment
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.people import passing
from stewardship.people.errors import BadToken, NotYours
from stewardship.people.models import User
from stewardship.people.rights import PersonRight, TokenRight

if TYPE_CHECKING:
    from rest_framework.request import Request

PREFIX = "cnc_"
SCOPES = frozenset({"read", "write"})
LONGEST_DAYS = 366
USE_NOTED_EVERY = timedelta(minutes=1)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"
_CHECK_LENGTH = 6


def _checksum(secret: str) -> str:
    """Six letters of a CRC: scanners of source code tell a real token from a look-alike without asking us."""
    number, text = zlib.crc32(secret.encode()), ""
    for _place in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        text += _ALPHABET[digit]
    return text


def new_plain() -> str:
    """A fresh token: prefix, 32 letters (183 bits), checksum."""
    secret = "".join(secrets.choice(_ALPHABET) for _place in range(32))
    return f"{PREFIX}{secret}{_checksum(secret)}"


def is_well_formed(plain: str) -> bool:
    """Whether prefix and checksum fit, before any database is asked."""
    secret, check = plain[len(PREFIX) : -_CHECK_LENGTH], plain[-_CHECK_LENGTH:]
    return plain.startswith(PREFIX) and len(secret) == 32 and secrets.compare_digest(_checksum(secret).encode(), check.encode())


def _digest(plain: str) -> str:
    # 183 random bits need no salt and no slow hash.
    return hashlib.sha256(plain.encode()).hexdigest()


class AccessTokenQuerySet(GovernedQuerySet):
    """Tokens, by whether they still open anything."""

    def live(self, at: datetime) -> Self:
        """Not expired, not revoked, and of a person who is still active."""
        return self.filter(expires_at__gt=at, revoked_at__isnull=True, user__is_active=True, user__is_system=False)


class AccessToken(Recorded):
    """One program's key to the API, acting as one person, with a reason to end."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="access_tokens", verbose_name=_("acts as"))
    name = models.CharField(_("name"), max_length=120)
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    scopes = DocumentField(_("scopes"), default=list)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = models.Manager.from_queryset(AccessTokenQuerySet)()

    access_paths: ClassVar[Paths] = Paths(person=("user_id",), region=("user__home_region_id",))
    view_right: ClassVar[str] = PersonRight.VIEW
    # SECURITY: the digest is as good as a name for the token; the journal commits to it without showing it.
    personal: ClassVar[frozenset[str]] = frozenset({"digest"})

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering = ["-expires_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    @classmethod
    def issue(cls, *, user: User, name: str, scopes: Iterable[str], days: int, actor: User) -> tuple[AccessToken, str]:
        """A new token and its plain text, which is never shown again. One's own, or anybody's with `people:token:issue`.

        SECURITY: whoever reads the plain text acts as that person, so it takes every strong right that the person holds.
        """
        if actor.pk != user.pk and not permits(actor, TokenRight.ISSUE, user):
            raise NotYours(
                gettext("You may not issue a token for %(user)s.") % {"user": user},
                remedy=gettext("Ask somebody who manages people of that region."),
            )
        wanted = sorted(set(scopes))
        if not wanted or not SCOPES.issuperset(wanted):
            raise BadToken(
                gettext("A token needs scopes out of read and write."),
                field="scopes",
                remedy=gettext('Give ["read"] or ["read", "write"].'),
            )
        if not 1 <= days <= LONGEST_DAYS:
            raise BadToken(
                gettext("A token lives 1 to %(most)d days.") % {"most": LONGEST_DAYS},
                field="days",
                remedy=gettext("Choose a shorter life and renew it."),
            )
        if not user.is_active or user.is_system:
            raise BadToken(
                gettext("%(user)s cannot sign in, so no token can act as them.") % {"user": user},
                field="user",
                remedy=gettext("Choose an active person."),
            )
        plain = new_plain()
        with acting(actor, f"Token {name} issued"), transaction.atomic():
            if actor.pk != user.pk and not passing.outreaches(actor, user):
                raise NotYours(
                    str(
                        _("%(name)s may sign, appoint or configure where you may not, so you may issue no token for them.") % {"name": user}
                    ),
                    remedy=str(_("They issue it themselves on their profile, or somebody who holds these rights too does.")),
                )
            token = cls(user=user, name=name, digest=_digest(plain), scopes=wanted, expires_at=moment() + timedelta(days=days))
            token.save()
            AccessTokenUse.objects.create(token=token)
        return token, plain

    def revoke(self, *, actor: User, reason: str = "") -> None:
        """End it now. One's own, or anybody's with `people:token:issue`. Twice is once."""
        if actor.pk != self.user_id and not permits(actor, TokenRight.ISSUE, self.user):
            raise NotYours(gettext("You may not revoke this token."), remedy=gettext("Ask its person or somebody who manages people."))
        with transaction.atomic(), acting(actor, reason or f"Token {self.name} revoked"):
            self.refresh_from_db(from_queryset=type(self).objects.select_for_update())
            if self.revoked_at is None:
                self.revoked_at = moment()
                self.save(update_fields=["revoked_at"])


class AccessTokenUse(models.Model):
    """When a token was last used; apart from the token, because it is no governed fact and changes all the time."""

    token = models.OneToOneField(AccessToken, primary_key=True, on_delete=models.CASCADE, related_name="use")
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("use of an access token")
        verbose_name_plural = _("uses of access tokens")

    def __str__(self) -> str:
        return str(self.token)

    @classmethod
    def note(cls, token: AccessToken, at: datetime) -> None:
        """At most one write a minute, however busy the program is."""
        cls.objects.filter(token=token).filter(
            models.Q(last_used_at__isnull=True) | models.Q(last_used_at__lt=at - USE_NOTED_EVERY)
        ).update(last_used_at=at)


def find(plain: str, at: datetime) -> AccessToken | None:
    """The live token of this plain text, with its person; one query, none for what cannot be a token."""
    if not is_well_formed(plain):
        return None
    found: AccessToken | None = AccessToken.objects.live(at).select_related("user", "use").filter(digest=_digest(plain)).first()
    return found


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer cnc_…`; the request's `auth` is then the AccessToken."""

    keyword = "Bearer"

    def authenticate(self, request: Request | HttpRequest) -> tuple[User, AccessToken] | None:
        """The person and token; None without a Bearer header; refuses dead tokens and writes with a token that only reads."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        word, _space, plain = header.partition(" ")
        if word.lower() != self.keyword.lower():
            return None
        at = timezone.now()
        token = find(plain.strip(), at)
        if token is None:
            raise exceptions.AuthenticationFailed(_("This token is unknown, expired or revoked. Issue a new one."))
        needed = "read" if request.method in permissions.SAFE_METHODS else "write"
        if needed not in token.scopes:
            raise exceptions.PermissionDenied(_("This token may not %(scope)s.") % {"scope": needed})
        last = token.use.last_used_at
        if last is None or last < at - USE_NOTED_EVERY:
            AccessTokenUse.note(token, at)
        return token.user, token

    def authenticate_header(self, request: Any) -> str:
        """Makes a refusal a 401."""
        return f'{self.keyword} realm="concordat"'
