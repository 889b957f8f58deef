"""Accounts: made by verbs, never deleted, their secrets in no history; the system's account cannot be entered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory
from pytest_django import Settings

from config.portal.errors import Invalid
from stewardship.journal.acting import SYSTEM_USER_ID, NoActor, acting
from stewardship.people import standing
from stewardship.people.adapter import AccountAdapter
from stewardship.people.birth import ensure_system_user
from stewardship.people.errors import NeverDeleted, NotYours, Overlaps
from stewardship.people.models import Absence, Delegation, Membership, Team, User, system_user
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.usefixtures("example_data")  # dates of the past are handy; that they are refused is test_people_admin's

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_an_account_needs_somebody_who_makes_it(db: None) -> None:
    with pytest.raises(NoActor):
        User.objects.create_user("zoe", "zoe@bank.example")


def test_history_holds_no_password(cast: Cast) -> None:
    alice = cast.users["alice"]
    assert alice.history.count() == 1
    assert not hasattr(alice.history.get(), "password")


def test_people_are_never_deleted(cast: Cast) -> None:
    with pytest.raises(NeverDeleted):
        cast.users["alice"].delete()


def test_names(cast: Cast) -> None:
    alice = cast.users["alice"]
    assert (str(alice), alice.get_full_name(), alice.get_short_name()) == ("Alice Adler", "Alice Adler", "Alice")
    assert (str(User(username="zoe")), User(username="zoe").get_short_name()) == ("zoe", "zoe")


def test_one_account_for_an_address_whatever_its_case(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), acting(system_user()):
        User.objects.create_user("alice2", "ALICE@bank.example")


def test_time_zones_are_checked(cast: Cast) -> None:
    cast.users["alice"].time_zone = "Mars/Olympus"
    with pytest.raises(ValidationError) as refusal:
        cast.users["alice"].full_clean()
    assert "time_zone" in refusal.value.message_dict


def test_the_system_account_is_made_once_and_cannot_be_entered(db: None) -> None:
    ensure_system_user()
    system = system_user()
    assert system.pk == SYSTEM_USER_ID
    assert not system.has_usable_password()
    with pytest.raises(IntegrityError), transaction.atomic(), acting(system):
        User(username="other", is_system=True).save()
    with pytest.raises(Invalid):
        standing.deactivate(system, actor=system, reason="?")


def test_the_system_account_is_made_anew_when_it_is_missing(db: None) -> None:
    User.objects.filter(pk=SYSTEM_USER_ID)._raw_delete("default")
    ensure_system_user()
    assert system_user().history.filter(history_user_id=SYSTEM_USER_ID).exists()


def test_signing_in_renews_an_old_hash_in_the_persons_own_name(cast: Cast, settings: Settings) -> None:
    alice = cast.users["alice"]
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    assert alice.password.startswith("md5$")
    assert alice.check_password(PASSWORD)
    assert User.objects.get(pk=alice.pk).password.startswith("pbkdf2")
    assert alice.history.latest("history_date").history_user_id == alice.pk


def test_signing_in_over_http(cast: Cast) -> None:
    client = Client()
    page = client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert page.status_code == 302, page.content[:300]
    assert client.session["_auth_user_id"] == str(cast.users["alice"].pk)
    assert Client().post("/accounts/login/", {"login": "alice", "password": "wrong"}).status_code == 200
    standing.deactivate(cast.users["alice"], actor=system_user(), reason="Left")
    assert client.get("/me/").status_code == 302, "an open session ends with the account"


class TestAdapter:
    def test_nobody_signs_up(self) -> None:
        assert AccountAdapter().is_open_for_signup(RequestFactory().get("/")) is False

    def test_a_new_password_is_the_persons_own_act(self, cast: Cast) -> None:
        alice = cast.users["alice"]
        AccountAdapter().set_password(alice, "another long secret")
        assert alice.check_password("another long secret")
        assert alice.history.latest("history_date").history_change_reason == "Password changed"

    def test_the_system_account_is_turned_away(self, cast: Cast) -> None:
        request = RequestFactory().get("/")
        answer = AccountAdapter().pre_login(
            request, system_user(), email_verification="none", signal_kwargs=None, email=None, signup=False, redirect_url=None
        )
        assert answer is not None
        assert answer.status_code == 302
        answer = AccountAdapter().pre_login(
            request,
            cast.users["alice"],
            email_verification="none",
            signal_kwargs=None,
            email=None,
            signup=False,
            redirect_url=None,
        )
        assert answer is None


@pytest.fixture
def team(cast: Cast) -> Team:
    row = Team(slug="sre", name="SRE", region=cast.regions["eu"])
    with acting(system_user()):
        row.save()
    return row


class TestStanding:
    def test_joining_twice_at_one_time_is_refused(self, cast: Cast, team: Team) -> None:
        frank, charlie = cast.users["frank"], cast.users["charlie"]
        standing.join(team, charlie, actor=frank, starts=NOW, ends=NOW + DAY)
        standing.join(team, charlie, actor=frank, starts=NOW + DAY)
        with pytest.raises(Overlaps):
            standing.join(team, charlie, actor=frank, starts=NOW + 5 * DAY, ends=NOW + 6 * DAY)
        with pytest.raises(Invalid):
            standing.join(team, cast.users["gita"], actor=frank, starts=NOW, ends=NOW)
        with pytest.raises(NotYours):
            standing.join(team, cast.users["gita"], actor=cast.users["alice"])
        assert Membership.objects.in_force(NOW).count() == 1
        with pytest.raises(IntegrityError), transaction.atomic(), acting(frank):
            Membership(team=team, user=charlie, starts=NOW).save()

    def test_leaving(self, cast: Cast, team: Team) -> None:
        frank = cast.users["frank"]
        member = standing.join(team, cast.users["charlie"], actor=frank, starts=NOW)
        future = standing.join(team, cast.users["gita"], actor=frank, starts=datetime.now(UTC) + DAY)
        past = standing.join(team, cast.users["ivan"], actor=frank, starts=NOW, ends=NOW + DAY)
        for row in (member, future, past):
            standing.leave(row, actor=frank)
        assert Membership.objects.get(pk=past.pk).ends == NOW + DAY
        assert not Membership.objects.filter(pk=future.pk).exists()
        assert not Membership.objects.in_force(datetime.now(UTC)).exists()
        with pytest.raises(NotYours):
            standing.leave(member, actor=cast.users["alice"])

    def test_absence_is_ones_own_or_the_managers(self, cast: Cast) -> None:
        alice = cast.users["alice"]
        standing.be_absent(alice, actor=alice, starts=NOW, ends=NOW + DAY)
        standing.be_absent(alice, actor=cast.users["frank"], starts=NOW + DAY)
        with pytest.raises(NotYours):
            standing.be_absent(alice, actor=cast.users["bob"], starts=NOW)
        assert Absence.objects.in_force(NOW + DAY).count() == 1

    def test_delegation(self, cast: Cast) -> None:
        alice, charlie = cast.users["alice"], cast.users["charlie"]
        standing.delegate(alice, charlie, actor=alice, starts=NOW, ends=NOW + DAY)
        with pytest.raises(NotYours):
            standing.delegate(alice, charlie, actor=charlie, starts=NOW, ends=NOW + DAY)
        with pytest.raises(Invalid):
            standing.delegate(alice, alice, actor=alice, starts=NOW, ends=NOW + DAY)
        with pytest.raises(Invalid):
            standing.delegate(alice, system_user(), actor=alice, starts=NOW, ends=NOW + DAY)
        with pytest.raises(Invalid):
            standing.delegate(alice, charlie, actor=alice, starts=NOW, ends=NOW)
        standing.delegate(alice, charlie, actor=cast.users["frank"], starts=NOW, ends=NOW + DAY)
        with pytest.raises(IntegrityError), transaction.atomic(), acting(alice):
            Delegation(delegator=alice, delegate=charlie, starts=NOW).save()

    def test_leaving_the_house(self, cast: Cast) -> None:
        with pytest.raises(NotYours):
            standing.deactivate(cast.users["gita"], actor=cast.users["frank"], reason="Not mine")
        standing.deactivate(cast.users["alice"], actor=cast.users["frank"], reason="Left")
        standing.deactivate(cast.users["alice"], actor=cast.users["frank"], reason="Again")
        assert cast.users["alice"].history.count() == 2

    def test_rows_name_themselves(self, cast: Cast, team: Team) -> None:
        alice, charlie = cast.users["alice"], cast.users["charlie"]
        assert str(standing.join(team, charlie, actor=system_user())) == "Charlie Chan · SRE"
        assert str(standing.be_absent(alice, actor=alice, starts=NOW)) == "Alice Adler"
        assert str(standing.delegate(alice, charlie, actor=alice, starts=NOW, ends=NOW + DAY)) == "Alice Adler → Charlie Chan"
