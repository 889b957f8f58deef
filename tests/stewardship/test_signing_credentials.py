"""Who they are is proved at the moment of signing, and guessing ends soon."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django import forms
from django.core.cache import cache
from django.utils import timezone

from stewardship.journal.acting import acting
from stewardship.notices.models import Notice
from stewardship.people.models import User, system_user
from stewardship.signing.credentials import LIMIT, LOCKED_FOR, WINDOW, check
from stewardship.signing.errors import CredentialRefused, NoMethod
from stewardship.signing.forms import CredentialMixin
from stewardship.signing.methods import available
from stewardship.signing.models import Attempts, Method
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db


def enrol(user: User) -> str:
    secret: str = generate_totp_secret()
    with acting(user, "enrols"):
        TOTP.activate(user, secret)
    return secret


def now_code(secret: str) -> str:
    counters = list(yield_hotp_counters_from_time())
    return str(format_hotp_value(hotp_value(secret, counters[len(counters) // 2])))


def no_password(user: User) -> None:
    user.set_unusable_password()
    with acting(user, "single sign-on only"):
        user.save()


def test_methods(cast: Cast) -> None:
    bob, dana = cast.users["bob"], cast.users["dana"]
    assert available(bob) == [Method.PASSWORD]
    enrol(bob)
    assert available(bob) == [Method.TOTP, Method.PASSWORD]
    no_password(dana)
    assert available(dana) == []


def test_the_password(cast: Cast) -> None:
    assert timezone.now() - check(cast.users["bob"], "password", PASSWORD) < timedelta(seconds=10)
    with pytest.raises(CredentialRefused, match="code is wrong") as refusal:
        check(cast.users["bob"], "password", "guess")
    assert refusal.value.field == "credential"
    assert "4 more" in refusal.value.remedy


def test_nobody_without_a_method_and_nobody_by_a_method_they_lack(cast: Cast) -> None:
    bob, dana = cast.users["bob"], cast.users["dana"]
    no_password(dana)
    with pytest.raises(NoMethod) as refusal:
        check(dana, "password", PASSWORD)
    assert "authenticator app" in refusal.value.remedy
    with pytest.raises(NoMethod) as refusal:
        check(bob, "totp", "123456")
    assert "Password" in refusal.value.remedy
    with pytest.raises(NoMethod, match="cannot sign"):
        check(system_user(), "password", "")


def test_a_code_signs_once(cast: Cast) -> None:
    cache.clear()
    bob = cast.users["bob"]
    secret = enrol(bob)
    valid = now_code(secret)
    check(bob, "totp", valid)
    with pytest.raises(CredentialRefused, match="used before"):
        check(bob, "totp", valid)
    cache.clear()  # another process has another cache; the counter in the database still refuses
    with pytest.raises(CredentialRefused, match="used before"):
        check(bob, "totp", valid)
    with pytest.raises(CredentialRefused):
        check(bob, "totp", "000000" if valid != "000000" else "111111")


def test_a_code_that_log_in_used_does_not_sign(cast: Cast) -> None:
    cache.clear()
    bob = cast.users["bob"]
    valid = now_code(enrol(bob))
    from allauth.mfa.models import Authenticator

    assert Authenticator.objects.get(user=bob).wrap().validate_code(valid)
    with pytest.raises(CredentialRefused):
        check(bob, "totp", valid)


def test_guessing_locks_tells_the_person_and_ends(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = cast.users["bob"]
    for _guess in range(LIMIT - 1):
        with pytest.raises(CredentialRefused, match="code is wrong"):
            check(bob, "password", "guess")
    with pytest.raises(CredentialRefused, match="locked"):
        check(bob, "password", "guess")
    with pytest.raises(CredentialRefused, match="locked"):  # even with the right one
        check(bob, "password", PASSWORD)
    assert {notice.channel for notice in Notice.objects.filter(recipient=bob, cause_kind="signing_locked")} == {"portal", "email"}
    assert check(cast.users["dana"], "password", PASSWORD)  # nobody else is locked
    later = timezone.now() + LOCKED_FOR + timedelta(seconds=1)
    monkeypatch.setattr("stewardship.signing.credentials.timezone", SimpleNamespace(now=lambda: later, localtime=timezone.localtime))
    assert check(bob, "password", PASSWORD)
    assert Attempts.objects.get(user=bob).failures == 0


def test_old_failures_are_forgotten(cast: Cast) -> None:
    bob = cast.users["bob"]
    with pytest.raises(CredentialRefused):
        check(bob, "password", "guess")
    Attempts.objects.filter(user=bob).update(failures=LIMIT - 1, since=timezone.now() - WINDOW - timedelta(seconds=1))
    with pytest.raises(CredentialRefused, match="code is wrong"):
        check(bob, "password", "guess")
    assert Attempts.objects.get(user=bob).failures == 1


def test_parallel_guesses_are_counted_before_they_are_looked_at(cast: Cast) -> None:
    bob = cast.users["bob"]
    Attempts.objects.create(user=bob, failures=LIMIT, since=timezone.now())  # five others are being checked right now
    with pytest.raises(CredentialRefused, match="locked"):
        check(bob, "password", PASSWORD)


class DecisionForm(CredentialMixin, forms.Form):
    comment = forms.CharField(required=False)

    def __init__(self, user: User) -> None:
        super().__init__()
        self.ask(user)


def test_the_form_asks_for_what_the_person_has(cast: Cast) -> None:
    bob, dana = cast.users["bob"], cast.users["dana"]
    assert str(DecisionForm(bob).fields["credential"].label) == "Password"
    assert DecisionForm(bob).fields["method"].initial == "password"
    enrol(bob)
    choice: Any = DecisionForm(bob).fields["method"]
    assert [value for value, _label in choice.choices] == ["totp", "password"]
    no_password(bob)
    assert str(DecisionForm(bob).fields["credential"].label) == "Code"
    no_password(dana)
    assert "credential" not in DecisionForm(dana).fields
    assert "authenticator app" in str(DecisionForm(dana).no_method)
