"""Who holds a role: near and far, teams, absences, delegates; compared with a naive reading of the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people import standing
from stewardship.people.models import Team, User, system_user
from stewardship.roles.assign import assign
from stewardship.roles.holders import accountable, conflicts, holders, holders_of
from stewardship.roles.listing import with_accountable
from stewardship.roles.matrix import separate
from stewardship.roles.models import Role, RoleAssignment
from stewardship.roles.rules import Given, Held, Span, resolve
from stewardship.roles.rules import conflicts as find_conflicts
from tests.cast import Cast, make_model

PATH = [(kind, UUID(int=number)) for number, kind in enumerate(("model", "family", "region", "region"), start=1)]
PEOPLE = [UUID(int=number) for number in range(10, 16)]


def _naive(
    given: list[Given], replace: bool, active: frozenset[UUID], absent: frozenset[UUID], delegates: dict[UUID, list[UUID]]
) -> list[Held]:
    """As the rules are written, word for word, slowly."""
    by_scope = [[row for row in given if row.scope == scope] for scope in PATH]
    if replace:
        by_scope = next(([rows] for rows in by_scope if rows), [])
    found: list[Held] = []
    for rows in by_scope:
        for row in rows:
            for person in row.people:
                candidates = [Held(person, row.assignment)]
                if person in absent:
                    candidates = [Held(one, row.assignment, person) for one in delegates.get(person, [])] if person in active else []
                for candidate in candidates:
                    known = {held.user for held in found}
                    if candidate.user in active and candidate.user not in absent and candidate.user not in known:
                        found.append(candidate)
    return found


_some_people = st.frozensets(st.sampled_from(PEOPLE))
_rows = st.lists(
    st.builds(
        Given,
        st.uuids(),
        st.sampled_from([*PATH, ("region", UUID(int=99))]),
        st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True).map(tuple),
    ),
    max_size=6,
)


@given(
    rows=_rows,
    replace=st.booleans(),
    active=_some_people,
    absent=_some_people,
    delegates=st.dictionaries(st.sampled_from(PEOPLE), st.lists(st.sampled_from(PEOPLE), max_size=3)),
)
def test_agrees_with_a_naive_reading(
    rows: list[Given], replace: bool, active: frozenset[UUID], absent: frozenset[UUID], delegates: dict[UUID, list[UUID]]
) -> None:
    found = resolve(rows, PATH, replace=replace, active=active, absent=absent, delegates=delegates)
    assert found == _naive(rows, replace, active, absent, delegates)
    assert len({held.user for held in found}) == len(found)


DAY = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 7)]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ((0, 4), (2, 5), (2, 4)),
        ((0, None), (2, 5), (2, 5)),
        ((0, None), (2, None), (2, None)),
        ((0, 2), (2, 4), None),
        ((0, 1), (3, None), None),
    ],
)
def test_spans_meet(one: tuple[int, int | None], other: tuple[int, int | None], both: tuple[int, int | None] | None) -> None:
    def span(ends: tuple[int, int | None]) -> Span:
        return Span(DAY[ends[0]], None if ends[1] is None else DAY[ends[1]])

    expected = None if both is None else span(both)
    assert span(one).meet(span(other)) == expected == span(other).meet(span(one))


def test_pairs_of_duties() -> None:
    first, second, third = PATH[0][1], PATH[1][1], PATH[2][1]
    held = {first: frozenset(PEOPLE[:2]), second: frozenset(PEOPLE[1:3])}
    found = find_conflicts(held, [(first, second), (first, third)])
    assert [(one.user, one.first, one.second) for one in found] == [(PEOPLE[1], first, second)]


def _names(found: list[object]) -> list[str]:
    return [holder.user.username for holder in found]  # type: ignore[attr-defined]


def test_the_nearest_replaces_and_add_adds(cast: Cast, model: RegisteredModel) -> None:
    charlie, gita = cast.users["charlie"], cast.users["gita"]
    assert _names(holders("owner", model=model)) == ["alice"]
    assign(actor=system_user(), role="owner", user=charlie, family=model.family, rationale="By family")
    assert _names(holders("owner", model=model)) == ["charlie"]
    assert accountable(model) == charlie
    assign(actor=system_user(), role="owner", user=gita, model=model, rationale="This one")
    assert _names(holders("owner", model=model)) == ["gita"]
    assign(actor=system_user(), role="responder", user=charlie, model=model, rationale="Too")
    assert _names(holders("responder", model=model)) == ["charlie", "ivan"]
    assert _names(holders(cast.roles["responder"], region=cast.regions["fr"])) == ["ivan"]
    assert holders("no-such-role", model=model) == []
    with pytest.raises(ValueError, match="model or a region"):
        holders("owner")


def test_a_second_line_is_never_replaced_from_below(cast: Cast, model: RegisteredModel) -> None:
    assign(actor=system_user(), role="validator", user=cast.users["charlie"], model=model, rationale="Nearer")
    assert _names(holders("validator", model=model)) == ["charlie", "bob"]


def test_whoever_is_away_is_stood_in_for(cast: Cast, model: RegisteredModel) -> None:
    ivan, charlie, kate = (cast.users[name] for name in ("ivan", "charlie", "kate"))
    now = datetime.now(UTC)
    soon = now + timedelta(days=3)
    standing.be_absent(ivan, actor=ivan, starts=now, ends=soon)
    assert holders("responder", model=model) == [], "away without a delegate is a gap"
    standing.delegate(ivan, charlie, actor=ivan, starts=now, ends=soon)
    standing.delegate(ivan, kate, actor=ivan, starts=now + timedelta(microseconds=1), ends=soon)
    found = holders("responder", model=model)
    assert [(holder.user, holder.acting_for) for holder in found] == [(charlie, ivan), (kate, ivan)]
    standing.be_absent(charlie, actor=charlie, starts=now, ends=soon)
    assert _names(holders("responder", model=model)) == ["kate"]
    assert _names(holders("responder", model=model, at=soon)) == ["ivan"]
    standing.deactivate(kate, actor=system_user(), reason="Left")
    assert holders("responder", model=model) == []


def test_a_role_that_cannot_be_delegated_is_vacant_meanwhile(cast: Cast, model: RegisteredModel) -> None:
    ivan, now = cast.users["ivan"], datetime.now(UTC)
    role = cast.roles["responder"]
    role.delegable = False
    with acting(system_user()):
        role.save()
    standing.be_absent(ivan, actor=ivan, starts=now)
    standing.delegate(ivan, cast.users["charlie"], actor=ivan, starts=now, ends=now + timedelta(days=1))
    assert holders("responder", model=model) == []


def test_a_team_is_its_members(cast: Cast, model: RegisteredModel) -> None:
    team = Team(slug="sre", name="SRE", region=cast.regions["eu"])
    with acting(system_user()):
        team.save()
    for name in ("kate", "charlie"):
        standing.join(team, cast.users[name], actor=system_user())
    assign(actor=system_user(), role="responder", team=team, model=model, rationale="On call")
    found = holders("responder", model=model)
    assert _names(found) == ["kate", "charlie", "ivan"]
    assert [holder.team for holder in found] == [team, team, None]


def test_accountability_survives_absence_but_not_leaving(cast: Cast, model: RegisteredModel) -> None:
    alice = cast.users["alice"]
    standing.be_absent(alice, actor=alice, starts=datetime.now(UTC))
    assert accountable(model) == alice
    standing.deactivate(alice, actor=system_user(), reason="Left")
    assert accountable(model) is None


def test_conflicts_name_person_and_both_roles(cast: Cast, model: RegisteredModel) -> None:
    assert conflicts(model) == []
    # What is given or passed on is refused; what was there before the rule was made is found.
    assign(actor=system_user(), role="responder", user=cast.users["alice"], model=model, rationale="On call too")
    separate(cast.roles["owner"], cast.roles["responder"], actor=system_user())
    assert conflicts(model) == [(cast.users["alice"], cast.roles["owner"], cast.roles["responder"])]


def test_all_roles_cost_as_many_queries_as_one(
    cast: Cast, model: RegisteredModel, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(6):
        found = holders_of(list(Role.objects.all()), model=model)
    assert {role.slug: len(held) for role, held in found.items()} == {role.slug: (0 if role.slug == "x" else 1) for role in found}


def test_the_list_says_what_the_single_question_says(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    french = make_model(cast, "french", "fr")
    by_family = make_model(cast, "by-family", "de")
    by_model = make_model(cast, "by-model", "de", by_family.family)
    assign(actor=system_user(), role="owner", user=cast.users["charlie"], family=by_family.family, rationale="Family")
    assign(actor=system_user(), role="owner", user=cast.users["ivan"], model=by_model, rationale="Model")
    standing.deactivate(cast.users["ivan"], actor=system_user(), reason="Left")
    rows = with_accountable(RegisteredModel.objects.all(), datetime.now(UTC))
    listed = {row.slug: row.accountable_name for row in rows}
    assert listed == {row.slug: str(accountable(row) or "") for row in (model, foreign_model, french, by_family, by_model)}
    assert listed["tumour-risk"] == "Alice Adler"
    assert listed["by-model"] == listed["french"] == ""
    assert User.objects.active().count() == len(cast.users) - 1


@pytest.mark.parametrize("scope", ["model", "family", "region"])
def test_who_gave_no_name_is_listed_by_the_name_they_sign_in_with(cast: Cast, model: RegisteredModel, scope: str) -> None:
    with acting(system_user()):
        nameless = User.objects.create_user("zoe", "zoe@bank.example")
    on: dict[str, object] = {"model": model, "family": model.family, "region": cast.regions["de"]}
    if scope == "region":
        RoleAssignment.objects.get(role__slug="owner", region=cast.regions["de"]).end(actor=system_user())
    assign(actor=system_user(), role="owner", user=nameless, rationale="Owns it", **{scope: on[scope]})  # type: ignore[arg-type]
    listed = with_accountable(RegisteredModel.objects.all(), datetime.now(UTC)).get(pk=model.pk)
    assert listed.accountable_name == "zoe" == str(accountable(model))
