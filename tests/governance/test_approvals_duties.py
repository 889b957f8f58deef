"""Separation of duties: whoever worked on a change or answers for it never decides on it, and nobody agrees twice."""

from __future__ import annotations

import pytest
from django.utils import timezone

from governance.approvals.errors import NotAsked, VacantRole
from governance.approvals.submit import submit
from governance.approvals.waiting import asked_of, count
from governance.approvals.who import excluded, may_decide
from governance.changes.models import ChangeRequest, Status
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User, system_user
from stewardship.roles.assign import assign
from tests.cast import Cast, make_version
from tests.governance.change_case import TWO_STAGES, decides, fresh, full_draft, policy, route, with_evidence

OPERATIONS = [{"name": "Operations", "requirements": [{"role": "responder"}]}]


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


def second(cast: Cast, role: str, username: str) -> None:
    """This person holds the role in the EU as well."""
    assign(actor=system_user(), role=cast.roles[role], user=cast.users[username], region=cast.regions["eu"], rationale="Both")


def may_decide_too(cast: Cast, role: str) -> None:
    """The role carries the right to decide."""
    from stewardship.roles.matrix import set_rights
    from stewardship.roles.models import DecisionRight

    rights = dict(DecisionRight.objects.filter(role=cast.roles[role]).values_list("right", "raci"))
    set_rights(cast.roles[role], {**rights, "approvals:decision:make": "R"}, actor=system_user())


def test_whoever_edited_the_draft_does_not_decide(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    policy(cast)
    route(cast, stages=OPERATIONS)
    second(cast, "responder", "kate")
    may_decide_too(cast, "responder")
    ivan, kate = cast.users["ivan"], cast.users["kate"]
    change = full_draft(cast, model, version)
    change.edit(actor=ivan, rationale="Ivan knows better why")
    submit(change, actor=alice)
    assert excluded(fresh(change))[ivan.pk] == "edited this change"
    assert may_decide(ivan, fresh(change)) == []
    assert asked_of(ivan, timezone.now()) == []
    assert [found.pk for found, _asked in asked_of(kate, timezone.now())] == [change.pk]
    with pytest.raises(NotAsked, match="edited this change"):
        decides(change, ivan)


def test_whoever_edited_only_the_way_back_does_not_decide(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    policy(cast)
    route(cast, stages=OPERATIONS)
    second(cast, "responder", "kate")
    change = full_draft(cast, model, version)
    change.edit(actor=cast.users["ivan"], rollback={"steps": "Another way"})
    submit(change, actor=alice)
    assert cast.users["ivan"].pk in excluded(fresh(change))


def test_whoever_returned_it_has_not_edited_it(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User, bob: User) -> None:
    policy(cast)
    route(cast)
    change = full_draft(cast, model, version)
    submit(change, actor=alice)
    decides(change, bob, "return", "More tests, please")
    submit(fresh(change), actor=alice)
    assert [each.role.slug for each in may_decide(bob, fresh(change))] == ["validator"]


def test_the_owner_does_not_decide_on_their_own_change(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User, bob: User
) -> None:
    policy(cast)
    route(cast, stages=[TWO_STAGES[0]])
    second(cast, "validator", "kate")
    change = full_draft(cast, model, version, owner=bob)
    submit(change, actor=alice)
    assert may_decide(bob, fresh(change)) == []
    assert asked_of(bob, timezone.now()) == []
    assert count(bob) == 0
    with pytest.raises(NotAsked, match="became the owner of this change"):
        decides(change, bob)


def test_one_person_with_two_roles_does_not_fill_two_stages(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User, bob: User, kate: User
) -> None:
    policy(cast)
    route(cast)
    second(cast, "risk", "bob")
    change = full_draft(cast, model, version)
    submit(change, actor=alice)
    decides(change, bob)
    assert may_decide(bob, fresh(change)) == []
    assert asked_of(bob, timezone.now()) == []
    with pytest.raises(NotAsked, match="agreed in an earlier stage"):
        decides(change, bob)
    decides(change, kate)
    assert fresh(change).status == Status.APPROVED


def test_a_route_may_say_that_the_same_people_decide_again(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User, bob: User
) -> None:
    policy(cast)
    route(cast, stages=[TWO_STAGES[0], {**TWO_STAGES[1], "same_people": True}])
    second(cast, "risk", "bob")
    change = full_draft(cast, model, version)
    submit(change, actor=alice)
    decides(change, bob)
    assert [found.pk for found, _asked in asked_of(bob, timezone.now())] == [change.pk]
    decides(change, bob)
    assert fresh(change).status == Status.APPROVED


def test_stages_that_only_one_person_could_fill_are_refused_at_once(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User
) -> None:
    policy(cast)
    twice = {"name": "Second look", "requirements": [{"role": "validator"}]}
    rule = route(cast, stages=[TWO_STAGES[0], twice])
    change: ChangeRequest = full_draft(cast, model, version)
    with pytest.raises(VacantRole, match=r"Second look.*nobody decides in two stages"):
        submit(change, actor=alice)
    second(cast, "validator", "kate")
    assert submit(fresh(change), actor=alice).rule == rule
