"""Two people at the same instant, in real threads on PostgreSQL: one consistent result, whoever is first."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections

from config.portal.errors import DomainError
from governance.approvals.models import Decision, Route
from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest, Status
from stewardship.people.models import User, system_user
from stewardship.roles.assign import assign
from tests.cast import Cast, make_cast, make_model, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def crowd() -> Cast:
    """The cast, in a database whose transactions really commit."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite has one writer")
    return make_cast()


def in_review(cast: Cast, quorum: int = 1) -> ChangeRequest:
    model = make_model(cast)
    version = make_version(model, "1.1.0")
    with_evidence(version)
    policy(cast)
    assign(actor=system_user(), role=cast.roles["validator"], user=cast.users["kate"], region=cast.regions["eu"], rationale="A second one")
    route(cast, stages=[{"name": "Review", "requirements": [{"role": "validator", "quorum": quorum}]}])
    change = full_draft(cast, model, version)
    submit(change, actor=cast.users["alice"])
    return fresh(change)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run them together; each gives its result or the refusal."""
    start = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index: int, act: Callable[[], object]) -> None:
        try:
            start.wait(timeout=10)
            results[index] = act()
        except DomainError as refusal:
            results[index] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def by(change: ChangeRequest, person: User, outcome: str) -> Callable[[], object]:
    return lambda: decides(change, person, outcome, "because")


def test_approve_and_reject_at_the_same_instant(crowd: Cast) -> None:
    change = in_review(crowd)
    results = at_once(by(change, crowd.users["bob"], "approve"), by(change, crowd.users["kate"], "reject"))
    assert sum(isinstance(each, Decision) for each in results) == 1, results
    assert sum(isinstance(each, DomainError) for each in results) == 1, results
    decision = Decision.objects.get()
    assert fresh(change).status == {"approve": Status.APPROVED, "reject": Status.REJECTED}[decision.outcome]
    assert Route.objects.get().status == {"approve": "agreed", "reject": "rejected"}[decision.outcome]


def test_two_approvals_fill_two_seats(crowd: Cast) -> None:
    change = in_review(crowd, quorum=2)
    results = at_once(by(change, crowd.users["bob"], "approve"), by(change, crowd.users["kate"], "approve"))
    assert all(isinstance(each, Decision) for each in results), results
    assert fresh(change).status == Status.APPROVED
    assert Decision.objects.count() == 2


def test_one_person_in_two_windows_decides_once(crowd: Cast) -> None:
    change = in_review(crowd, quorum=2)
    bob = crowd.users["bob"]
    results = at_once(by(change, bob, "approve"), by(change, bob, "approve"))
    assert sum(isinstance(each, Decision) for each in results) == 1, results
    assert Decision.objects.count() == 1
    assert fresh(change).status == Status.SUBMITTED


def test_an_edit_against_a_decision(crowd: Cast) -> None:
    change = in_review(crowd)
    results = at_once(
        by(change, crowd.users["bob"], "approve"), lambda: fresh(change).edit(actor=crowd.users["alice"], rationale="Another reason")
    )
    after = fresh(change)
    if isinstance(results[0], Decision) and results[1] is not None:
        assert after.status == Status.APPROVED
        assert after.rationale != "Another reason"
    else:
        # The edit won: whatever was decided was on the content before, and is not counted.
        assert after.status == Status.SUBMITTED
        assert after.revision == 2
    assert after.content_digest == after.digest()
