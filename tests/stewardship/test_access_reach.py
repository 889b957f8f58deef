"""Who reaches what: every kind of scope, at every kind of instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from pytest_django import DjangoAssertNumQueries

from config.portal.permission import SIGNED_IN, Reach, permits, reach
from stewardship.access import allowed_to, require, rights, scopes
from stewardship.access.errors import Forbidden, NotVisible, UnknownRight
from stewardship.access.models import RegionGrant
from stewardship.access.reach import needs_second_factor
from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people import standing
from stewardship.people.models import Team, User, system_user
from stewardship.regions.models import Region
from stewardship.roles.assign import assign
from tests.cast import Cast, make_family, make_model

pytestmark = pytest.mark.usefixtures("example_data")  # dates of the past are handy; that they are refused is test_people_admin's

VIEW = "inventory:model:view"
EDIT = "inventory:model:edit"
START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def test_everybody_reaches_what_the_cast_says(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    who = {name for name, user in cast.users.items() if allowed_to(user, VIEW, model)}
    assert who == {"alice", "bob", "dana", "erin", "frank", "kate", "ivan", "pipeline"}
    assert {name for name, user in cast.users.items() if allowed_to(user, VIEW, foreign_model)} == {"dana", "erin", "gita"}


@dataclass(frozen=True)
class World:
    """Three models around one family in Germany, one in France, one in Japan."""

    cast: Cast
    family: ModelFamily
    models: dict[str, RegisteredModel]


@pytest.fixture
def world(cast: Cast) -> World:
    family = make_family(cast, "scores", "de")
    models = {
        "own": make_model(cast, "own", "de", family),
        "sibling": make_model(cast, "sibling", "de", family),
        "lone": make_model(cast, "lone", "de"),
        "french": make_model(cast, "french", "fr"),
        "japanese": make_model(cast, "japanese", "jp"),
    }
    return World(cast, family, models)


Give = Callable[[World, User], object]


def _on(scope: Callable[[World], dict[str, object]], **dates: datetime) -> Give:
    def give(world: World, user: User) -> object:
        role = world.cast.roles["responder"]
        return assign(actor=system_user(), role=role, user=user, rationale="For the test", valid_from=START, **scope(world), **dates)  # type: ignore[arg-type]

    return give


SCOPES = [
    ("the root", lambda w: {"region": w.cast.regions["global"]}, {"own", "sibling", "lone", "french", "japanese"}),
    ("a parent region", lambda w: {"region": w.cast.regions["eu"]}, {"own", "sibling", "lone", "french"}),
    ("the region", lambda w: {"region": w.cast.regions["de"]}, {"own", "sibling", "lone"}),
    ("a sibling region", lambda w: {"region": w.cast.regions["fr"]}, {"french"}),
    ("the family", lambda w: {"family": w.family}, {"own", "sibling"}),
    ("one model", lambda w: {"model": w.models["own"]}, {"own"}),
]


@pytest.mark.parametrize(("name", "scope", "expected"), SCOPES, ids=[row[0] for row in SCOPES])
def test_each_scope_reaches_exactly_its_models(
    world: World, name: str, scope: Callable[[World], dict[str, object]], expected: set[str]
) -> None:
    charlie = world.cast.users["charlie"]
    _on(scope)(world, charlie)
    assert set(RegisteredModel.objects.allowed(charlie, VIEW).values_list("slug", flat=True)) == expected
    assert {slug for slug, model in world.models.items() if allowed_to(charlie, VIEW, model)} == expected
    assert not RegisteredModel.objects.allowed(charlie, EDIT).exists()


INSTANTS = [(START - TICK, False), (START, True), (END - TICK, True), (END, False)]


@pytest.mark.parametrize(("at", "expected"), INSTANTS)
@pytest.mark.parametrize("scope", [row[1] for row in SCOPES[2:]], ids=[row[0] for row in SCOPES[2:]])
def test_a_grant_holds_from_its_first_instant_to_just_before_its_last(
    world: World, scope: Callable[[World], dict[str, object]], at: datetime, expected: bool
) -> None:
    charlie = world.cast.users["charlie"]
    _on(scope, valid_until=END)(world, charlie)
    assert bool(reach(charlie, VIEW, at)) is expected
    assert RegisteredModel.objects.allowed(charlie, VIEW, at).exists() is expected


@pytest.mark.parametrize(("at", "expected"), INSTANTS)
def test_a_team_gives_to_its_members_while_they_are_in_it(world: World, at: datetime, expected: bool) -> None:
    team = _team(world)
    charlie = world.cast.users["charlie"]
    assign(actor=system_user(), role="responder", team=team, model=world.models["own"], valid_from=START, rationale="On call")
    standing.join(team, charlie, actor=system_user(), starts=START, ends=END)
    assert allowed_to(charlie, VIEW, world.models["own"], at) is expected


def _team(world: World) -> Team:
    team = Team(slug="sre", name="SRE", region=world.cast.regions["eu"])
    with acting(system_user()):
        team.save()
    return team


def test_leaving_a_team_ends_what_came_with_it(world: World) -> None:
    team, charlie = _team(world), world.cast.users["charlie"]
    membership = standing.join(team, charlie, actor=system_user())
    assign(actor=system_user(), role="responder", team=team, model=world.models["own"], rationale="On call")
    assert allowed_to(charlie, VIEW, world.models["own"])
    standing.leave(membership, actor=system_user())
    assert not allowed_to(charlie, VIEW, world.models["own"])


@pytest.mark.parametrize(("at", "expected"), INSTANTS)
def test_a_delegate_holds_what_the_delegator_holds_for_those_days(world: World, at: datetime, expected: bool) -> None:
    ivan, charlie = world.cast.users["ivan"], world.cast.users["charlie"]
    assign(actor=system_user(), role="responder", user=ivan, model=world.models["japanese"], valid_from=START - TICK, rationale="Helps out")
    standing.delegate(ivan, charlie, actor=ivan, starts=START, ends=END)
    assert allowed_to(charlie, VIEW, world.models["japanese"], at) is expected


def test_a_delegation_is_not_passed_on(world: World) -> None:
    ivan, charlie, gita = (world.cast.users[name] for name in ("ivan", "charlie", "gita"))
    now = datetime.now(UTC)
    standing.delegate(ivan, charlie, actor=ivan, starts=now, ends=now + timedelta(days=1))
    standing.delegate(charlie, gita, actor=charlie, starts=now, ends=now + timedelta(days=1))
    assert allowed_to(charlie, VIEW, world.models["own"])
    assert not allowed_to(gita, VIEW, world.models["own"])


def test_a_role_that_cannot_be_delegated_is_not(world: World) -> None:
    ivan, charlie = world.cast.users["ivan"], world.cast.users["charlie"]
    now = datetime.now(UTC)
    standing.delegate(ivan, charlie, actor=ivan, starts=now, ends=now + timedelta(days=1))
    responder = world.cast.roles["responder"]
    responder.delegable = False
    with acting(system_user(), "No stand-ins"):
        responder.save()
    assert not allowed_to(charlie, VIEW, world.models["own"])
    assert allowed_to(ivan, VIEW, world.models["own"])


def test_ending_an_assignment_ends_its_grants(world: World) -> None:
    charlie = world.cast.users["charlie"]
    row = assign(actor=system_user(), role="responder", user=charlie, region=world.cast.regions["de"], rationale="For now")
    assert allowed_to(charlie, VIEW, world.models["own"])
    row.end(actor=system_user())
    assert not allowed_to(charlie, VIEW, world.models["own"])


def test_a_leaver_reaches_nothing(world: World) -> None:
    alice = world.cast.users["alice"]
    standing.deactivate(alice, actor=system_user(), reason="Left")
    assert not allowed_to(alice, VIEW, world.models["own"])
    assert not RegisteredModel.objects.allowed(alice, VIEW).exists()


def test_nobody_and_strangers_reach_nothing(world: World) -> None:
    assert reach(None, VIEW) == Reach()
    assert not RegisteredModel.objects.allowed(None, VIEW).exists()
    assert reach(world.cast.users["charlie"], VIEW) == Reach()


def test_a_superuser_has_no_wider_reach(world: World) -> None:
    with acting(system_user()):
        root = User.objects.create_superuser("root", "root@bank.example", "a long enough secret")
    assert root.is_staff
    assert not RegisteredModel.objects.allowed(root, VIEW).exists()


def test_being_signed_in_reaches_nothing_but_ones_own(world: World) -> None:
    assert reach(world.cast.users["erin"], SIGNED_IN) == Reach()


def test_who_may_configure_appoint_or_sign_needs_a_second_factor(world: World) -> None:
    needed = {name for name, user in world.cast.users.items() if needs_second_factor(user)}
    assert {"dana", "frank", "kate"} <= needed
    assert not needed & {"charlie", "ivan", "pipeline"}


# Whoever holds one of these may change the rules, appoint people, or sign: added to on purpose, never by the way a name is spelt.
STRONG = {
    "approvals:decision:make",
    "approvals:route:configure",
    "dossiers:template:configure",
    "escalation:path:configure",
    "frameworks:framework:configure",
    "people:person:manage",
    "people:token:issue",
    "policies:policy:configure",
    "policies:waiver:end",
    "policies:waiver:grant",
    "regions:region:configure",
    "risk:questionnaire:configure",
    "roles:assignment:assign",
    "roles:assignment:assign_second_line",
    "roles:role:configure",
    "signals:source:configure",
    "thresholds:rule:configure",
}


def test_the_strong_rights_are_these() -> None:
    assert {right for right in rights.all_rights() if rights.is_strong(right)} == STRONG


def test_the_system_reaches_everything(world: World) -> None:
    assert RegisteredModel.objects.allowed(system_user(), EDIT).count() == len(world.models)


def test_a_moved_region_moves_its_models(world: World) -> None:
    gita = world.cast.users["gita"]
    de = world.cast.regions["de"]
    assign(actor=system_user(), role="responder", user=gita, region=world.cast.regions["apac"], rationale="Asia")
    assert not allowed_to(gita, VIEW, world.models["own"])
    de.parent = world.cast.regions["apac"]
    with acting(system_user(), "Reorganised"):
        de.save()
    assert allowed_to(gita, VIEW, world.models["own"])


def test_two_queries_answer_every_right(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    frank = User.objects.get(username="frank")
    with django_assert_num_queries(2):
        for right in rights.all_rights():
            reach(frank, right)


class TestRequire:
    def test_says_nothing_when_allowed(self, world: World) -> None:
        require(world.cast.users["alice"], EDIT, world.models["own"])

    def test_hides_what_may_not_be_seen(self, world: World) -> None:
        with pytest.raises(NotVisible):
            require(world.cast.users["charlie"], EDIT, world.models["own"])
        with pytest.raises(NotVisible):
            require(world.cast.users["charlie"], VIEW, world.models["own"])

    def test_says_who_can(self, world: World) -> None:
        with pytest.raises(Forbidden) as refusal:
            require(world.cast.users["bob"], EDIT, world.models["own"])
        assert "model owner" in refusal.value.remedy
        assert EDIT in refusal.value.message

    def test_says_when_nobody_can(self, world: World) -> None:
        with pytest.raises(Forbidden) as refusal:
            require(world.cast.users["bob"], "people:token:issue", world.cast.regions["eu"])
        assert refusal.value.remedy == "Ask somebody who is regional admin here."
        with acting(system_user(), "Taken away"):
            world.cast.roles["regional-admin"].decision_rights.get(right="people:token:issue").delete()
        with pytest.raises(Forbidden) as refusal:
            require(world.cast.users["bob"], "people:token:issue", world.cast.regions["eu"])
        assert "No role" in refusal.value.remedy

    def test_on_the_whole_installation(self, world: World) -> None:
        assert allowed_to(world.cast.users["dana"], VIEW, None)
        with pytest.raises(Forbidden):
            require(world.cast.users["bob"], VIEW, None)

    def test_anywhere_at_all(self, world: World) -> None:
        assert allowed_to(world.cast.users["gita"], EDIT, RegisteredModel)
        with pytest.raises(Forbidden):
            require(world.cast.users["charlie"], VIEW, RegisteredModel)

    def test_an_undefined_right_raises(self, world: World) -> None:
        with pytest.raises(UnknownRight):
            require(world.cast.users["alice"], "inventory:model:viw", world.models["own"])
        with pytest.raises(UnknownRight):
            reach(world.cast.users["alice"], "inventory:model:viw")

    def test_an_unsaved_row_has_no_place(self, cast: Cast) -> None:
        with pytest.raises(LookupError):
            permits(cast.users["alice"], VIEW, Region(code="x", name="X"))

    def test_unscoped_rows_are_seen_from_anywhere_and_changed_from_the_root(self, world: World) -> None:
        role = world.cast.roles["owner"]
        assert allowed_to(world.cast.users["alice"], "roles:role:view", role)
        assert not allowed_to(world.cast.users["charlie"], "roles:role:view", role)
        assert not allowed_to(world.cast.users["frank"], "roles:role:configure", role)
        assert allowed_to(system_user(), "roles:role:configure", role)


class TestRegistry:
    def test_a_name_must_follow_the_grammar(self) -> None:
        class Wrong(StrEnum):
            VIEW = "just a word"

        with pytest.raises(ValueError, match="slice:subject:verb"):
            rights.register(Wrong)

    def test_a_name_belongs_to_one_enum(self) -> None:
        class Thief(StrEnum):
            VIEW = "inventory:model:view"

        with pytest.raises(ValueError, match="registered by"):
            rights.register(Thief)

    def test_registering_twice_is_once(self) -> None:
        before = rights.all_rights()
        from stewardship.inventory.rights import ModelRight

        rights.register(ModelRight)
        assert rights.all_rights() == before

    def test_only_known_kinds_of_scope(self) -> None:
        with pytest.raises(ValueError, match="no scope"):
            scopes.register("country", RegionGrant)
