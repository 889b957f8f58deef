"""Deadlines: people are called, nothing is approved because time ran out, and what lapses ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from governance.approvals.models import Requirement, Route
from governance.approvals.overdue import escalate_overdue, lapse
from governance.approvals.submit import submit
from governance.approvals.waiting import asked_of, count, inbox
from governance.changes.models import ChangeRequest, Status
from stewardship.coverage.models import Gap
from stewardship.escalation.models import Path, Run, Step
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


def submitted(cast: Cast, model: RegisteredModel, version: ModelVersion, **fields: object) -> ChangeRequest:
    policy(cast)
    route(cast, **fields)
    change = full_draft(cast, model, version)
    submit(change, actor=cast.users["alice"])
    return fresh(change)


def a_path(cast: Cast) -> None:
    with acting(system_user(), "A path"):
        path = Path(slug="approvals", name="Overdue approvals", region=cast.regions["global"], subject_kind="approval")
        path.save()
        Step(path=path, order=1, role=cast.roles["compliance"], scope="root", after_seconds=60, expects="Decide").save()


def test_whoever_is_late_is_called_for_once(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    a_path(cast)
    change = submitted(cast, model, version)
    assert escalate_overdue(timezone.now()) == 0
    late = timezone.now() + timedelta(days=30)
    assert escalate_overdue(late) == 1
    assert escalate_overdue(late) == 0
    run = Run.objects.get()
    assert run.subject_kind == "approval"
    assert "validator has not decided on" in run.label
    assert fresh(change).status == Status.SUBMITTED  # never approved by waiting
    decides(change, bob)
    run.refresh_from_db()
    assert run.status == "stopped"


def test_without_a_path_a_gap_is_opened(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    submitted(cast, model, version)
    assert escalate_overdue(timezone.now() + timedelta(days=30)) == 1
    gap = Gap.objects.get(subject_kind="approval")
    assert gap.kind == "no_path"
    assert gap.role == cast.roles["validator"]


def test_a_stage_that_became_vacant_is_overdue_at_once(
    cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User
) -> None:
    a_path(cast)
    change = submitted(cast, model, version)
    with acting(system_user(), "Kate has left"):
        kate.is_active = False
        kate.save()
    decides(change, bob)
    requirement = Requirement.objects.asked().get()
    assert requirement.role.slug == "risk"
    assert requirement.due_at is not None
    assert requirement.due_at <= timezone.now()
    assert escalate_overdue() == 1
    assert Run.objects.filter(subject_id=requirement.pk).exists()


def test_a_review_nobody_finished_expires(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User) -> None:
    change = submitted(cast, model, version, review_days=10)
    assert lapse(timezone.now() + timedelta(days=9)) == 0
    assert lapse(timezone.now() + timedelta(days=11)) == 1
    change = fresh(change)
    assert change.status == Status.EXPIRED
    assert change.routes.get().status == Route.Status.ENDED
    assert not Requirement.objects.asked().exists()


def test_an_approval_nobody_carried_out_expires(cast: Cast, model: RegisteredModel, version: ModelVersion, bob: User, kate: User) -> None:
    change = submitted(cast, model, version, valid_days=5)
    decides(change, bob)
    decides(change, kate)
    assert lapse(timezone.now() + timedelta(days=4)) == 0
    assert lapse(timezone.now() + timedelta(days=6)) == 1
    assert fresh(change).status == Status.EXPIRED


def test_the_inbox_has_what_waits_for_me_and_what_i_wait_for(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User, bob: User, kate: User
) -> None:
    change = submitted(cast, model, version)
    now = timezone.now()
    assert [found.pk for found, _requirement in asked_of(bob, now)] == [change.pk]
    assert (count(bob), count(kate), count(alice)) == (1, 0, 0)
    (mine,) = inbox(bob, now)
    assert mine.due is not None
    assert "validator" in str(mine.meta)
    (waiting,) = inbox(alice, now)
    assert waiting.waiting_on == "validator"
    assert waiting.bucket_hint == "waiting"
    decides(change, bob, "return", "More tests, please")
    (returned,) = inbox(alice, now)
    assert returned.meta == "Returned to you"
    assert list(inbox(bob, now)) == []
    assert count(bob) == 0


def test_a_withdrawn_change_asks_nobody_and_calls_nobody(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User, bob: User
) -> None:
    a_path(cast)
    change = submitted(cast, model, version, review_days=10)
    late = timezone.now() + timedelta(days=5)
    assert escalate_overdue(late) == 1
    run = Run.objects.get()
    change.withdraw(actor=alice, reason="Not needed any more")
    run.refresh_from_db()
    assert run.status == "stopped"
    made = change.routes.get()
    assert made.status == Route.Status.ENDED
    assert not Requirement.objects.asked().exists()
    assert {stage.status for stage in made.stages.all()} == {"ended"}
    assert (escalate_overdue(late), lapse(timezone.now() + timedelta(days=30))) == (0, 0)
    assert list(inbox(bob, timezone.now())) == []
