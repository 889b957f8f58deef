"""Giving and ending roles: one accountable person, two people for two duties, nobody appoints their own second line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from config.portal.errors import DomainError, Forbidden
from stewardship.access.errors import NotVisible, UnknownRight
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people import standing
from stewardship.people.models import Team, system_user
from stewardship.roles import matrix
from stewardship.roles.assign import assign
from stewardship.roles.errors import AlreadyAccountable, AlreadyEnded, BadAssignment, DutiesNotSeparated, OwnSecondLine, RoleInUse
from stewardship.roles.models import DecisionRight, Role, RoleAssignment
from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("example_data")  # dates of the past are handy; that they are refused is test_people_admin's

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def team(cast: Cast) -> Team:
    row = Team(slug="sre", name="SRE", region=cast.regions["eu"])
    with acting(system_user()):
        row.save()
    return row


REFUSED: list[tuple[dict[str, Any], type[DomainError], str]] = [
    ({"role": "janitor"}, BadAssignment, "role"),
    ({"model": None}, BadAssignment, "scope"),
    ({"region": "de"}, BadAssignment, "scope"),
    ({"user": None}, BadAssignment, "user"),
    ({"team": "sre"}, BadAssignment, "user"),
    ({"rationale": " "}, BadAssignment, "rationale"),
    ({"valid_from": START, "valid_until": START}, BadAssignment, "valid_until"),
    ({"role": "owner", "user": None, "team": "sre"}, BadAssignment, "team"),
    ({"user": "system"}, BadAssignment, "user"),
]


@pytest.mark.parametrize(("change", "error", "field"), REFUSED)
def test_a_refusal_names_its_field(
    cast: Cast, team: Team, model: RegisteredModel, change: dict[str, Any], error: type[DomainError], field: str
) -> None:
    given: dict[str, Any] = {"role": "responder", "user": "charlie", "model": model, "rationale": "Because", **change}
    if given.get("user"):
        given["user"] = system_user() if given["user"] == "system" else cast.users[given["user"]]
    if given.get("team"):
        given["team"] = team
    if given.get("region"):
        given["region"] = cast.regions[given["region"]]
    before = RoleAssignment.objects.count()
    with pytest.raises(error) as refusal:
        assign(actor=system_user(), **given)
    assert refusal.value.field == field
    assert refusal.value.remedy
    assert RoleAssignment.objects.count() == before


OVERLAPS = [
    # from, until (days after START; None is open), refused
    (0, None, True),
    (5, 15, True),
    (19, None, True),
    (20, None, False),
    (-10, 10, False),
    (-10, 11, True),
    (-10, None, True),
]


@pytest.mark.parametrize(("begin", "end", "refused"), OVERLAPS)
def test_one_accountable_person_at_any_instant(cast: Cast, model: RegisteredModel, begin: int, end: int | None, refused: bool) -> None:
    assign(
        actor=system_user(),
        role="owner",
        user=cast.users["charlie"],
        model=model,
        valid_from=START + 10 * DAY,
        valid_until=START + 20 * DAY,
        rationale="Ten days",
    )

    def another() -> RoleAssignment:
        return assign(
            actor=system_user(),
            role="owner",
            user=cast.users["gita"],
            model=model,
            valid_from=START + begin * DAY,
            valid_until=None if end is None else START + end * DAY,
            rationale="Somebody else",
        )

    if refused:
        with pytest.raises(AlreadyAccountable):
            another()
    else:
        another()


def test_the_database_refuses_a_second_accountable_person_too(cast: Cast, model: RegisteredModel) -> None:
    assign(actor=system_user(), role="owner", user=cast.users["charlie"], model=model, rationale="First")
    with pytest.raises(IntegrityError), transaction.atomic(), acting(system_user()):
        RoleAssignment(
            role=cast.roles["owner"], user=cast.users["gita"], model=model, valid_from=START, rationale="Second", exclusive=True
        ).save()


def test_handing_over(cast: Cast, model: RegisteredModel) -> None:
    first = assign(actor=system_user(), role="owner", user=cast.users["charlie"], model=model, rationale="First")
    first.end(actor=system_user(), reason="Hands over")
    assign(actor=system_user(), role="owner", user=cast.users["gita"], model=model, rationale="Second")
    with pytest.raises(AlreadyEnded):
        first.end(actor=system_user())


def test_ending_what_has_not_begun_leaves_no_time(cast: Cast, model: RegisteredModel) -> None:
    later = datetime.now(UTC) + DAY
    row = assign(actor=system_user(), role="owner", user=cast.users["charlie"], model=model, valid_from=later, rationale="Tomorrow")
    row.end(actor=system_user())
    assert row.valid_until == row.valid_from
    assign(actor=system_user(), role="owner", user=cast.users["gita"], model=model, valid_from=later, rationale="Another")


def test_an_end_can_lie_ahead(cast: Cast, model: RegisteredModel) -> None:
    row = assign(actor=system_user(), role="responder", user=cast.users["charlie"], model=model, rationale="For a while")
    later = datetime.now(UTC) + DAY
    row.end(actor=system_user(), at=later)
    assert row.valid_until == later


class TestWho:
    def test_an_owner_appoints_within_their_region_only(self, cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
        alice, charlie = cast.users["alice"], cast.users["charlie"]
        assign(actor=alice, role="responder", user=charlie, model=model, rationale="On call")
        with pytest.raises(NotVisible):
            assign(actor=alice, role="responder", user=charlie, model=foreign_model, rationale="On call")
        with pytest.raises(Forbidden):
            assign(actor=cast.users["bob"], role="responder", user=charlie, model=model, rationale="On call")

    def test_the_first_line_does_not_appoint_the_second(self, cast: Cast, model: RegisteredModel) -> None:
        with pytest.raises(Forbidden) as refusal:
            assign(actor=cast.users["frank"], role="validator", user=cast.users["charlie"], model=model, rationale="Mine")
        assert "compliance officer" in refusal.value.remedy

    def test_nobody_appoints_themselves(self, cast: Cast, model: RegisteredModel) -> None:
        dana = cast.users["dana"]
        assign(actor=dana, role="validator", user=cast.users["charlie"], model=model, rationale="Independent")
        with pytest.raises(OwnSecondLine):
            assign(actor=dana, role="validator", user=dana, model=model, rationale="Me")

    def test_nobody_appoints_a_team_they_are_in(self, cast: Cast, team: Team, model: RegisteredModel) -> None:
        dana = cast.users["dana"]
        standing.join(team, dana, actor=system_user())
        with pytest.raises(OwnSecondLine):
            assign(actor=dana, role="validator", team=team, model=model, rationale="Us")

    @pytest.mark.parametrize("scope", ["model", "family", "region"])
    def test_the_accountable_person_does_not_appoint_their_second_line(self, cast: Cast, model: RegisteredModel, scope: str) -> None:
        dana = cast.users["dana"]
        assign(actor=system_user(), role="owner", user=dana, model=model, rationale="Owns it too")
        on: dict[str, Any] = {"model": model, "family": model.family, "region": cast.regions["eu"]}
        with pytest.raises(OwnSecondLine):
            assign(actor=dana, role="validator", user=cast.users["charlie"], rationale="Friend", **{scope: on[scope]})


class TestSeparation:
    @pytest.mark.parametrize("scope", ["model", "family", "region", "root"])
    def test_two_duties_over_one_model_are_two_people(self, cast: Cast, model: RegisteredModel, scope: str) -> None:
        on: dict[str, dict[str, Any]] = {
            "model": {"model": model},
            "family": {"family": model.family},
            "region": {"region": cast.regions["de"]},
            "root": {"region": cast.regions["global"]},
        }
        with pytest.raises(DutiesNotSeparated, match="Alice Adler is model owner"):
            assign(actor=system_user(), role="validator", user=cast.users["alice"], rationale="Both", **on[scope])

    def test_elsewhere_they_may_be_one(self, cast: Cast, foreign_model: RegisteredModel) -> None:
        assign(actor=system_user(), role="validator", user=cast.users["alice"], model=foreign_model, rationale="Far away")

    def test_before_or_after_they_may_be_one(self, cast: Cast, model: RegisteredModel) -> None:
        ended = START - DAY
        assign(
            actor=system_user(),
            role="validator",
            user=cast.users["alice"],
            model=model,
            valid_from=ended - DAY,
            valid_until=ended,
            rationale="Before she owned it",
        )

    def test_through_a_team(self, cast: Cast, team: Team, model: RegisteredModel) -> None:
        standing.join(team, cast.users["alice"], actor=system_user())
        with pytest.raises(DutiesNotSeparated):
            assign(actor=system_user(), role="validator", team=team, family=model.family, rationale="Us")
        with pytest.raises(DutiesNotSeparated):
            until = datetime.now(UTC) + DAY
            assign(actor=system_user(), role="validator", team=team, model=model, valid_until=until, rationale="Us")


class TestMatrix:
    def test_only_known_rights_and_letters(self, cast: Cast) -> None:
        role = cast.roles["owner"]
        with pytest.raises(UnknownRight):
            matrix.set_rights(role, {"inventory:model:destroy": "R"}, actor=system_user())
        with pytest.raises(BadAssignment):
            matrix.set_rights(role, {"inventory:model:view": "X"}, actor=system_user())
        with pytest.raises(Forbidden):
            matrix.set_rights(role, {}, actor=cast.users["frank"])
        with pytest.raises(Exception, match="There is no right"):
            DecisionRight(role=role, right="inventory:model:destroy").full_clean()

    @pytest.mark.parametrize("flags", [{"accountable": True, "combine": "add"}, {"second_line": True, "combine": "replace"}])
    def test_roles_that_contradict_themselves_are_refused(self, cast: Cast, flags: dict[str, Any]) -> None:
        for row in RoleAssignment.objects.filter(role=cast.roles["owner"]):
            row.end(actor=system_user())
        cast.roles["owner"].accountable = False
        with acting(system_user()):
            cast.roles["owner"].save()
        with pytest.raises(IntegrityError), transaction.atomic(), acting(system_user()):
            Role(slug="odd", name="odd", **flags).save()

    @pytest.mark.parametrize(
        ("slug", "changes"),
        [
            ("owner", {"accountable": False}),
            ("owner", {"accountable": False, "combine": "add"}),
            ("validator", {"second_line": False}),
            ("responder", {"combine": "replace"}),
            ("responder", {"second_line": True}),
        ],
    )
    def test_the_kind_of_a_role_that_somebody_holds_is_settled(self, cast: Cast, slug: str, changes: dict[str, Any]) -> None:
        role = cast.roles[slug]
        for field, value in changes.items():
            setattr(role, field, value)
        with pytest.raises(RoleInUse) as refusal, acting(system_user()):
            role.save()
        assert refusal.value.field in changes
        with pytest.raises(ValidationError) as said:
            role.full_clean()
        assert refusal.value.field in said.value.message_dict
        for row in RoleAssignment.objects.filter(role=role):
            row.end(actor=system_user())
        with acting(system_user()):
            role.save()
        assert RoleAssignment.objects.filter(role__accountable=True).count() == (0 if slug == "owner" else 2)

    def test_two_people_are_not_made_accountable_by_a_detour(self, cast: Cast, model: RegisteredModel) -> None:
        owner, frank = cast.roles["owner"], cast.users["frank"]
        assign(actor=system_user(), role="owner", user=cast.users["charlie"], model=model, rationale="First")
        owner.accountable = False
        with pytest.raises(RoleInUse), acting(system_user()):
            owner.save()
        with pytest.raises(AlreadyAccountable):
            assign(actor=frank, role="owner", user=cast.users["gita"], model=model, rationale="Second")

    def test_other_words_for_a_role_are_free(self, cast: Cast) -> None:
        cast.roles["owner"].name = "model steward"
        with acting(system_user()):
            cast.roles["owner"].save()
        assert Role.objects.get(slug="owner").name == "model steward"

    def test_names(self, cast: Cast, model: RegisteredModel) -> None:
        row = assign(actor=system_user(), role="responder", user=cast.users["charlie"], family=model.family, rationale="Because")
        assert str(row) == "operational responder: Charlie Chan · Tumour risk"
        assert row.scope_key == ("family", model.family_id)
        assert "·" in str(cast.roles["owner"].decision_rights.first())
        assert "≠" in str(cast.roles["owner"].separated_first.get())
