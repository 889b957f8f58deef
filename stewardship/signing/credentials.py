"""Check a person's password or code, now, counting failures so that nobody can guess."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NoReturn

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stewardship.journal.acting import acting
from stewardship.notices.send import send
from stewardship.people.models import User, system_user
from stewardship.signing.errors import CredentialRefused, NoMethod
from stewardship.signing.methods import available
from stewardship.signing.models import Attempts, Method

LIMIT = 5
WINDOW = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=15)
LOCKED = "signing_locked"  # the cause of the notice that tells a person that somebody is guessing


def check(user: User, method: str, credential: str) -> datetime:
    """When this person proved, just now, who they are. Raises NoMethod or CredentialRefused.

    The attempt is counted, and committed, before the credential is looked at: a killed process or parallel requests
    give nobody a free guess. Refuses to run inside a transaction, where a refusal would undo the count.
    """
    if not user.is_active or user.is_system:
        raise NoMethod(_("This account cannot sign."), remedy=_("Sign with the account of a person who is active."))
    methods = available(user)
    if not methods:
        raise NoMethod(
            _("You have no way to sign: your account has neither a password nor an authenticator app."),
            field="method",
            remedy=_("Set up an authenticator app on your profile page; you can sign at once afterwards."),
        )
    if method not in methods:
        raise NoMethod(
            _("You cannot sign this way."),
            field="method",
            remedy=_("Choose one of: %(methods)s.") % {"methods": ", ".join(str(each.label) for each in methods)},
        )
    failures = _count(user)
    with acting(user, "signing"):  # a password hash made with older settings is renewed on the way
        right = user.check_password(credential) if method == Method.PASSWORD else _totp(user, credential)
    now = timezone.now()
    if not right:
        _refuse(user, failures, now)
    Attempts.objects.filter(user=user).update(failures=0, since=None)
    return now


def _count(user: User) -> int:
    now = timezone.now()
    with transaction.atomic(durable=True):
        Attempts.objects.get_or_create(user=user)
        row = Attempts.objects.select_for_update().get(user=user)
        if row.locked_until is not None and row.locked_until > now:
            _say_locked(row.locked_until)
        if row.since is None or now - row.since > WINDOW:
            row.failures, row.since = 0, now
        if row.failures >= LIMIT:  # others are being checked at this moment
            _say_locked(now + LOCKED_FOR)
        row.failures += 1
        row.save(update_fields=["failures", "since"])
    failures: int = row.failures
    return failures


def _say_locked(until: datetime) -> NoReturn:
    raise CredentialRefused(
        _("Signing is locked for you until %(time)s, after too many wrong attempts.") % {"time": localize(timezone.localtime(until))},
        field="credential",
        remedy=_("Wait until then. If it was not you, tell your administrator now."),
    )


def _refuse(user: User, failures: int, now: datetime) -> NoReturn:
    left = LIMIT - failures
    if left <= 0:
        Attempts.objects.filter(user=user).update(failures=0, since=None, locked_until=now + LOCKED_FOR)
        with acting(system_user(), "signing locked after wrong attempts"):
            send(
                cause_kind=LOCKED,
                cause_id=user.pk,
                step=now.isoformat(timespec="minutes"),
                recipients=[user],
                subject=ngettext(
                    "Signing is locked: wrong password or code %(count)d time",
                    "Signing is locked: wrong password or code %(count)d times",
                    LIMIT,
                )
                % {"count": LIMIT},
                body=_("Somebody tried to sign as you. If it was not you, change your password and tell your administrator now."),
            )
        _say_locked(now + LOCKED_FOR)
    raise CredentialRefused(
        _("That password or code is wrong, or the code was used before."),
        field="credential",
        remedy=ngettext(
            "Try again; after %(left)d more wrong attempt signing is locked for 15 minutes.",
            "Try again; after %(left)d more wrong attempts signing is locked for 15 minutes.",
            left,
        )
        % {"left": left},
    )


def _totp(user: User, code: str) -> bool:
    """Right, and never accepted before: allauth's cache refuses what log-in has used, the counter what signing has."""
    authenticator = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    if not authenticator.wrap().validate_code(code):
        return False
    secret = decrypt(authenticator.data["secret"])
    steps = [
        step
        for step in yield_hotp_counters_from_time()
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step)))
    ]
    # Guarded: of two requests with the same code, one moves the counter.
    return bool(steps) and bool(Attempts.objects.filter(user=user, last_counter__lt=max(steps)).update(last_counter=max(steps)))
