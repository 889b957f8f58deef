"""Managing people is no way into what they hold: their account, their team's roles, the roles they are stood in for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.portal.errors import DomainError, Forbidden, Invalid
from stewardship.access import allowed_to, grants
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import BackdatingRefused, acting
from stewardship.people import standing
from stewardship.people.errors import NotYours
from stewardship.people.models import Absence, Delegation, Membership, Team, User, system_user
from stewardship.roles.assign import assign
from stewardship.roles.errors import DutiesNotSeparated, OwnSecondLine
from stewardship.roles.holders import holders
from stewardship.roles.models import RoleAssignment
from tests.cast import PASSWORD, Cast

DAY = timedelta(days=1)
DECIDE = "approvals:decision:make"


@pytest.fixture(autouse=True)
def _trusted(settings: Settings) -> None:
    settings.MFA_ENROLMENT_GRACE_DAYS = 3650


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def team(cast: Cast) -> Team:
    row = Team(slug="validation", name="Validation", region=cast.regions["eu"])
    with acting(system_user()):
        row.save()
    return row


@pytest.fixture
def validators(cast: Cast, team: Team) -> Team:
    """A team that holds a second-line role in the EU."""
    assign(actor=system_user(), role="validator", team=team, region=cast.regions["eu"], rationale="Independent")
    return team


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def address(model: type[Any], what: str, *args: Any) -> str:
    return reverse(f"admin:stewardship_{model._meta.model_name}_{what}", args=args)


def moments(**given: datetime | None) -> dict[str, str]:
    """What the two boxes of each date field send."""
    return {
        f"{name}_{place}": "" if when is None else when.strftime(form)
        for name, when in given.items()
        for place, form in enumerate(("%Y-%m-%d", "%H:%M:%S"))
    }


def person(user: User, **changes: Any) -> dict[str, Any]:
    known = {"username": user.username, "full_name": user.full_name, "email": user.email, "home_region": user.home_region_id}
    return {**known, "time_zone": "UTC", "language": "en", "is_active": "on", "reason": "As asked", **changes}


class TestAccounts:
    def test_nobody_sets_the_password_of_an_account_that_is_there(self, cast: Cast) -> None:
        client, bob = sign_in(cast.users["frank"]), cast.users["bob"]
        assert b"first_password" not in client.get(address(User, "change", bob.pk)).content
        client.post(address(User, "change", bob.pk), person(bob, first_password="Franks own secret phrase"))
        bob.refresh_from_db()
        assert bob.check_password(PASSWORD)

    @pytest.mark.parametrize(("password", "taken"), [("a long first secret", True), ("password", False), ("zoe.zeller.paris", False)])
    def test_a_first_password_is_judged_like_any_other(self, cast: Cast, password: str, taken: bool) -> None:
        client = sign_in(cast.users["frank"])
        new = User(username="zoe.zeller", full_name="Zoe Zeller", email="zoe@bank.example", home_region=cast.regions["fr"])
        answer = client.post(address(User, "add"), person(new, first_password=password))
        assert answer.status_code == (302 if taken else 200)
        assert User.objects.filter(username="zoe.zeller").exists() is taken
        if taken:
            assert User.objects.get(username="zoe.zeller").check_password(password)

    def test_mail_of_who_may_sign_is_not_led_elsewhere(self, cast: Cast) -> None:
        client, bob = sign_in(cast.users["frank"]), cast.users["bob"]
        page = client.post(address(User, "change", bob.pk), person(bob, email="frank+bob@bank.example"), follow=True)
        assert b"so you may not change where their mail goes" in page.content
        bob.refresh_from_db()
        assert bob.email == "bob@bank.example"
        with pytest.raises(NotYours):
            standing.change_address(bob, "frank+bob@bank.example", actor=cast.users["frank"], reason="Mine")

    def test_nor_that_of_who_will_sign_or_has_left(self, cast: Cast, now: datetime) -> None:
        frank, charlie = cast.users["frank"], cast.users["charlie"]
        assign(
            actor=system_user(),
            role="validator",
            user=charlie,
            region=cast.regions["de"],
            valid_from=now + DAY,
            rationale="From tomorrow",
        )
        standing.deactivate(charlie, actor=frank, reason="Away")
        with pytest.raises(NotYours):
            standing.change_address(charlie, "frank+c@bank.example", actor=frank, reason="Mine")

    def test_who_holds_as_much_may_change_it(self, cast: Cast, model: RegisteredModel) -> None:
        frank, bob, charlie = (cast.users[name] for name in ("frank", "bob", "charlie"))
        client = sign_in(frank)
        client.post(address(User, "change", charlie.pk), person(charlie, email="charlie.chan@bank.example"))
        charlie.refresh_from_db()
        assert charlie.email == "charlie.chan@bank.example", "who holds nothing strong is nobody's way up"
        assign(actor=system_user(), role="validator", user=frank, model=model, rationale="One model only")
        with pytest.raises(NotYours):
            standing.change_address(bob, "b@bank.example", actor=frank, reason="Married")
        assign(actor=system_user(), role="validator", user=frank, region=cast.regions["emea"], rationale="All of them")
        standing.change_address(bob, "b@bank.example", actor=frank, reason="Married")
        with pytest.raises(Invalid, match="Another account"):
            standing.change_address(bob, "ALICE@bank.example", actor=frank, reason="Married")
        assert User.objects.get(pk=bob.pk).email == "b@bank.example"

    def test_a_link_for_a_new_password_goes_to_the_person(self, cast: Cast) -> None:
        frank, bob, gita = (cast.users[name] for name in ("frank", "bob", "gita"))
        client = sign_in(frank)
        client.post(address(User, "changelist"), {"action": "send_link", "_selected_action": [bob.pk, gita.pk]})
        assert [letter.to for letter in mail.outbox] == [["bob@bank.example"]], "Gita is out of sight"
        link = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
        assert link is not None
        visitor = Client()
        form = visitor.get(link.group(0), follow=True)
        again = {"password1": "bobs own new secret", "password2": "bobs own new secret"}
        visitor.post(form.redirect_chain[-1][0], again)
        bob.refresh_from_db()
        assert bob.check_password("bobs own new secret")

    def test_no_link_without_an_address_or_to_who_has_left(self, cast: Cast) -> None:
        frank, alice, bob = (cast.users[name] for name in ("frank", "alice", "bob"))
        standing.deactivate(alice, actor=frank, reason="Left")
        with acting(system_user()):
            bob.email = ""
            bob.save()
        rows = {"action": "send_link", "_selected_action": [alice.pk, bob.pk]}
        page = sign_in(frank).post(address(User, "changelist"), rows, follow=True)
        assert page.content.count(b"has no address, or cannot sign in") == 2
        assert not mail.outbox

    def test_leaving_and_coming_back_go_through_the_verbs(self, cast: Cast) -> None:
        client, ivan = sign_in(cast.users["frank"]), cast.users["ivan"]
        form = person(ivan, reason="Left the bank", full_name="Ivan I.")
        del form["is_active"]
        assert client.post(address(User, "change", ivan.pk), form).status_code == 302
        ivan.refresh_from_db()
        assert (ivan.is_active, ivan.full_name) == (False, "Ivan I.")
        client.post(address(User, "change", ivan.pk), person(ivan, reason="Back again"))
        ivan.refresh_from_db()
        assert ivan.is_active

    @pytest.mark.parametrize("path", ["email/", "confirm-email/", "confirm-email/abc/"])
    def test_nobody_gives_themselves_an_address(self, cast: Cast, path: str) -> None:
        client = sign_in(cast.users["charlie"])
        for answer in (client.get(f"/accounts/{path}"), client.post(f"/accounts/{path}", {"action_add": "", "email": "bob@bank.example"})):
            assert answer.status_code == 404


class TestTeams:
    def test_the_first_line_makes_nobody_second_line_through_a_team(self, cast: Cast, validators: Team, model: RegisteredModel) -> None:
        frank, charlie = cast.users["frank"], cast.users["charlie"]
        with pytest.raises(OwnSecondLine):
            standing.join(validators, frank, actor=frank)
        with pytest.raises(Forbidden) as refusal:
            standing.join(validators, charlie, actor=frank)
        assert "compliance officer" in refusal.value.remedy
        assert not Membership.objects.exists()

    def test_the_screens_ask_the_same(self, cast: Cast, validators: Team, now: datetime) -> None:
        frank, charlie = cast.users["frank"], cast.users["charlie"]
        client = sign_in(frank)
        for user in (frank, charlie):
            form = {"team": validators.pk, "user": user.pk, **moments(starts=now + DAY, ends=None), "reason": "Joins"}
            client.post(address(Membership, "add"), form)
            inline = {
                "name": "Validation",
                "slug": "validation",
                "region": validators.region_id,
                "reason": "Joins",
                "memberships-TOTAL_FORMS": 1,
                "memberships-INITIAL_FORMS": 0,
                "memberships-0-user": user.pk,
                **moments(**{"memberships-0-starts": now + DAY, "memberships-0-ends": None}),
            }
            client.post(address(Team, "change", validators.pk), inline)
        assert not Membership.objects.exists()

    def test_a_team_gets_its_members_on_its_own_page(self, cast: Cast, team: Team, now: datetime) -> None:
        client = sign_in(cast.users["frank"])
        form = {
            "name": "Validation",
            "slug": "validation",
            "region": team.region_id,
            "reason": "On call",
            "memberships-TOTAL_FORMS": 1,
            "memberships-INITIAL_FORMS": 0,
            "memberships-0-user": cast.users["charlie"].pk,
            **moments(**{"memberships-0-starts": now + DAY, "memberships-0-ends": None}),
        }
        assert client.post(address(Team, "change", team.pk), form).status_code == 302
        row = Membership.objects.get()
        assert (row.user, row.history.get().history_change_reason) == (cast.users["charlie"], "On call")
        assert client.get(address(Team, "change", team.pk)).status_code == 200

    def test_the_accountable_person_joins_no_second_line(self, cast: Cast, validators: Team, model: RegisteredModel) -> None:
        with pytest.raises(DutiesNotSeparated):
            standing.join(validators, cast.users["alice"], actor=system_user())
        _manages(cast, "dana")
        with pytest.raises(DutiesNotSeparated, match="Alice"):
            standing.join(validators, cast.users["alice"], actor=cast.users["dana"])

    def test_the_second_line_chooses_its_own(self, cast: Cast, validators: Team, model: RegisteredModel) -> None:
        _manages(cast, "dana")
        standing.join(validators, cast.users["charlie"], actor=cast.users["dana"])
        assert allowed_to(cast.users["charlie"], DECIDE, model)
        with pytest.raises(OwnSecondLine):
            standing.join(validators, cast.users["dana"], actor=cast.users["dana"])

    def test_who_has_left_joins_nothing(self, cast: Cast, team: Team) -> None:
        standing.deactivate(cast.users["ivan"], actor=system_user(), reason="Left")
        with pytest.raises(Invalid):
            standing.join(team, User.objects.get(username="ivan"), actor=cast.users["frank"])


def _manages(cast: Cast, name: str) -> None:
    assign(actor=system_user(), role="regional-admin", user=cast.users[name], region=cast.regions["global"], rationale="Manages people too")


class TestStandingIn:
    def test_nobody_makes_themselves_a_stand_in(self, cast: Cast, model: RegisteredModel, now: datetime) -> None:
        frank, bob = cast.users["frank"], cast.users["bob"]
        with pytest.raises(OwnSecondLine):
            standing.delegate(bob, frank, actor=frank, starts=now, ends=now + DAY)
        form = {"delegator": bob.pk, "delegate": frank.pk, **moments(starts=now + DAY, ends=now + 2 * DAY), "reason": "Away"}
        sign_in(frank).post(address(Delegation, "add"), form)
        assert not Delegation.objects.exists()
        standing.be_absent(bob, actor=frank, starts=now)
        assert holders("validator", model=model) == []
        assert not allowed_to(frank, DECIDE, model)

    def test_nor_somebody_else_for_the_second_line(self, cast: Cast, now: datetime) -> None:
        frank, bob, charlie = (cast.users[name] for name in ("frank", "bob", "charlie"))
        with pytest.raises(Forbidden):
            standing.delegate(bob, charlie, actor=frank, starts=now, ends=now + DAY)
        standing.delegate(bob, charlie, actor=bob, starts=now, ends=now + DAY)

    def test_duties_stay_apart_while_somebody_is_away(self, cast: Cast, model: RegisteredModel, now: datetime) -> None:
        alice, bob = cast.users["alice"], cast.users["bob"]
        with pytest.raises(DutiesNotSeparated, match="Alice Adler is model owner"):
            standing.delegate(bob, alice, actor=bob, starts=now, ends=now + DAY)
        with pytest.raises(DutiesNotSeparated, match="Bob Berger is validator"):
            standing.delegate(alice, bob, actor=alice, starts=now, ends=now + DAY)

    def test_also_for_what_a_team_holds(self, cast: Cast, validators: Team, model: RegisteredModel, now: datetime) -> None:
        charlie, alice = cast.users["charlie"], cast.users["alice"]
        standing.join(validators, charlie, actor=system_user(), starts=now, ends=now + DAY)
        with pytest.raises(DutiesNotSeparated):
            standing.delegate(charlie, alice, actor=charlie, starts=now, ends=now + DAY)
        standing.delegate(charlie, alice, actor=charlie, starts=now + DAY, ends=now + 2 * DAY)

    def test_a_role_is_not_given_to_who_passes_it_on_to_the_wrong_person(self, cast: Cast, model: RegisteredModel, now: datetime) -> None:
        alice, charlie, dana = (cast.users[name] for name in ("alice", "charlie", "dana"))
        standing.delegate(charlie, alice, actor=charlie, starts=now, ends=now + DAY)
        with pytest.raises(DutiesNotSeparated):
            assign(actor=system_user(), role="validator", user=charlie, model=model, rationale="Independent?")
        standing.delegate(charlie, dana, actor=charlie, starts=now, ends=now + DAY)
        with pytest.raises(OwnSecondLine):
            assign(actor=dana, role="risk", user=charlie, model=model, rationale="My delegator")

    def test_what_cannot_be_delegated_is_not_asked_about(self, cast: Cast, now: datetime) -> None:
        validator = cast.roles["validator"]
        validator.delegable = False
        with acting(system_user()):
            validator.save()
        standing.delegate(cast.users["bob"], cast.users["alice"], actor=cast.users["bob"], starts=now, ends=now + DAY)
        assert grants.check() == []

    def test_a_delegation_ends_with_its_delegator(self, cast: Cast, model: RegisteredModel, now: datetime) -> None:
        bob, charlie = cast.users["bob"], cast.users["charlie"]
        standing.delegate(bob, charlie, actor=bob, starts=now - timedelta(seconds=1), ends=now + DAY)
        assert allowed_to(charlie, DECIDE, model)
        standing.deactivate(bob, actor=system_user(), reason="Left")
        assert not allowed_to(charlie, DECIDE, model)
        assert grants.check() == []
        standing.reactivate(bob, actor=system_user(), reason="A mistake")
        assert allowed_to(charlie, DECIDE, model)
        assert grants.check() == []


class TestEnds:
    def test_another_person_is_another_row(self, cast: Cast, team: Team, now: datetime) -> None:
        charlie, gita = cast.users["charlie"], cast.users["gita"]
        assign(actor=system_user(), role="responder", team=team, region=cast.regions["eu"], rationale="On call")
        row = standing.join(team, charlie, actor=system_user())
        ends = moments(ends=now + DAY, starts=now + DAY)
        form = {"team": team.pk, "user": gita.pk, **ends, "reason": "Leaves tomorrow"}
        assert sign_in(cast.users["frank"]).post(address(Membership, "change", row.pk), form).status_code == 302
        row.refresh_from_db()
        assert (row.user, row.starts < now + DAY, row.ends) == (charlie, True, now + DAY)
        assert grants.check() == []

    def test_no_end_is_put_off_or_taken_away(self, cast: Cast, team: Team, now: datetime) -> None:
        frank = cast.users["frank"]
        row = standing.join(team, cast.users["charlie"], actor=frank, ends=now + 2 * DAY)
        client, there = sign_in(frank), address(Membership, "change", row.pk)
        for ends in (now + 3 * DAY, None, now - DAY):
            client.post(there, {**moments(ends=ends), "reason": "Longer"})
            row.refresh_from_db()
            assert row.ends == now + 2 * DAY
        client.post(there, {**moments(ends=now + 2 * DAY), "reason": "Nothing"})
        assert row.history.count() == 1

    def test_absences_and_delegations_end_early(self, cast: Cast, now: datetime) -> None:
        frank, ivan, charlie, bob = (cast.users[name] for name in ("frank", "ivan", "charlie", "bob"))
        client = sign_in(frank)
        away = {"user": ivan.pk, **moments(starts=now + DAY, ends=now + 5 * DAY), "reason": "Holiday"}
        assert client.post(address(Absence, "add"), away).status_code == 302
        stands_in = {"delegator": ivan.pk, "delegate": charlie.pk, **moments(starts=now + DAY, ends=now + 5 * DAY), "reason": "Holiday"}
        assert client.post(address(Delegation, "add"), stands_in).status_code == 302
        absence, delegation = Absence.objects.get(), Delegation.objects.get()
        for row in (absence, delegation):
            client.post(address(type(row), "change", row.pk), {**moments(ends=now + 3 * DAY), "reason": "Back early"})
            row.refresh_from_db()
            assert row.ends == now + 3 * DAY
        for verb, row in ((standing.come_back, absence), (standing.take_back, delegation)):
            with pytest.raises(NotYours):
                verb(row, actor=bob)  # type: ignore[operator]
            verb(row, actor=ivan)  # type: ignore[operator]
        assert not Absence.objects.exists()
        assert not Delegation.objects.exists()


class TestTime:
    @pytest.fixture
    def past(self, now: datetime) -> datetime:
        return now - DAY

    def test_nothing_begins_in_the_past(self, cast: Cast, team: Team, past: datetime) -> None:
        alice, frank, charlie = (cast.users[name] for name in ("alice", "frank", "charlie"))
        refused: list[Any] = [
            lambda: standing.join(team, charlie, actor=frank, starts=past),
            lambda: standing.be_absent(alice, actor=alice, starts=past),
            lambda: standing.delegate(alice, charlie, actor=alice, starts=past, ends=past + 5 * DAY),
            lambda: assign(actor=frank, role="responder", user=charlie, region=cast.regions["de"], valid_from=past, rationale="All along"),
        ]
        for verb in refused:
            with pytest.raises(BackdatingRefused) as refusal:
                verb()
            assert refusal.value.field in ("starts", "valid_from")
            assert refusal.value.remedy
        assert not RoleAssignment.objects.filter(user=charlie).exists()

    def test_nothing_ends_in_the_past(self, cast: Cast, team: Team, past: datetime) -> None:
        row = standing.join(team, cast.users["charlie"], actor=cast.users["frank"])
        with pytest.raises(BackdatingRefused):
            standing.leave(row, actor=cast.users["frank"], at=past)

    def test_example_data_tells_of_the_past(self, cast: Cast, team: Team, past: datetime, example_data: None) -> None:
        try:
            standing.join(team, cast.users["charlie"], actor=cast.users["frank"], starts=past)
        except DomainError as error:  # pragma: no cover
            pytest.fail(error.message)
