"""A run calls the configured roles in order, each in its time, until somebody answers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.portal.errors import Forbidden, IllegalTransition
from stewardship.access.errors import NotVisible
from stewardship.escalation import follow, subjects, vacancies
from stewardship.escalation.by_hand import escalate
from stewardship.escalation.errors import NoPath, ReasonMissing, UnknownSubject
from stewardship.escalation.fire import RETRY, fire_due
from stewardship.escalation.fire import fire as fire_one
from stewardship.escalation.models import EventKind, Path, Run, Status, Step, Timer
from stewardship.escalation.start import path_for
from stewardship.escalation.tasks import fire_due_timers
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.notices.models import Notice
from stewardship.people.models import Absence, Delegation, system_user
from stewardship.regions.models import WorkingCalendar
from stewardship.roles.models import RoleAssignment
from tests.cast import Cast
from tests.stewardship.calls import START, Things, at, begin, calls, fire, make_path, reached
from tests.stewardship.calls import things as things

pytestmark = pytest.mark.django_db


def vacate(cast: Cast, role: str) -> None:
    for assignment in RoleAssignment.objects.filter(role=cast.roles[role]):
        assignment.end(actor=system_user(), reason="a test")


def test_each_step_in_its_time_and_order(cast: Cast, things: Things) -> None:
    make_path(cast, "responder", "risk", "executive@root")
    run = begin(cast)
    assert fire(-1) == 0
    for seconds, expected in ((0, 1), (59, 1), (60, 2), (119, 2), (120, 3), (10_000, 3)):
        fire(seconds)
        assert len(calls(run)) == expected, seconds
    assert reached(run) == [["ivan"], ["kate"], ["erin"]]
    assert [event.next_due_at for event in run.events.filter(kind="called").order_by("at")] == [
        START + timedelta(seconds=s) for s in (60, 120, 180)
    ]
    run.refresh_from_db()
    assert run.status == Status.ENDED
    assert {(n.recipient.username, n.channel) for n in Notice.objects.filter(cause_id=run.pk)} == {
        (name, channel) for name in ("ivan", "kate", "erin") for channel in ("portal", "email")
    }


def test_firing_again_changes_nothing(cast: Cast, things: Things) -> None:
    make_path(cast, "responder", "risk")
    run = begin(cast)
    timer = Timer.objects.get()
    assert fire() == 1
    assert fire() == 0
    with at(START):
        assert fire_one(timer.pk, run.pk) is False
    assert calls(run) == [("called", 0, 0)]


def test_the_tick_fires_now(cast: Cast, things: Things) -> None:
    make_path(cast, "responder")
    run = begin(cast, timezone.now())
    assert fire_due_timers() == "1 timers done"
    assert reached(run) == [["ivan"]]


def test_acknowledging_stops_the_calls_and_tells_those_who_were_called(cast: Cast, things: Things, ivan, kate) -> None:  # type: ignore[no-untyped-def]
    make_path(cast, "responder", "risk", "executive@root")
    run = begin(cast)
    fire(60)
    with at(START + timedelta(seconds=70)):
        run.acknowledge(actor=kate)
    assert fire(10_000) == 0
    run.refresh_from_db()
    assert (run.status, run.answered_by, run.answered_at) == (Status.ACKNOWLEDGED, kate, START + timedelta(seconds=70))
    assert not Timer.objects.filter(state="pending").exists()
    news = Notice.objects.filter(cause_kind="escalation_news")
    assert [(n.recipient, n.channel, n.subject) for n in news] == [(ivan, "portal", "Kate Klein has taken it on: Drift")]


def test_only_who_may_acknowledges(cast: Cast, things: Things) -> None:
    make_path(cast, "responder")
    run = begin(cast)
    with pytest.raises(NotVisible):
        run.acknowledge(actor=cast.users["charlie"])
    with pytest.raises(NotVisible):
        run.acknowledge(actor=cast.users["gita"])
    run.acknowledge(actor=cast.users["ivan"])
    with pytest.raises(IllegalTransition) as refusal:
        run.acknowledge(actor=cast.users["kate"])
    assert "faster" in refusal.value.remedy


def test_stopping_needs_a_reason_and_is_final(cast: Cast, things: Things, ivan) -> None:  # type: ignore[no-untyped-def]
    make_path(cast, "responder")
    run = begin(cast)
    with pytest.raises(ReasonMissing) as refusal:
        run.stop(actor=ivan, reason=" ")
    assert refusal.value.field == "reason"
    run.stop(actor=ivan, reason="A false alarm")
    assert run.events.get(kind=EventKind.STOPPED).reason == "A false alarm"
    with pytest.raises(IllegalTransition):
        run.acknowledge(actor=ivan)
    with pytest.raises(IllegalTransition):
        escalate(run, actor=ivan, reason="once more")
    assert fire(10_000) == 0


def test_a_vacant_step_is_passed_at_once_and_told(cast: Cast, things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(vacancies, "_vacant", [lambda run, step: told.append(step.role)])
    make_path(cast, "responder", "risk", "executive@root")
    vacate(cast, "responder")
    vacate(cast, "risk")
    run = begin(cast)
    assert fire() == 3
    assert calls(run) == [("vacant", 0, 0), ("vacant", 1, 0), ("called", 2, 0)]
    assert told == ["responder", "risk"]
    assert reached(run) == [["erin"]]


def test_a_path_that_is_vacant_throughout_ends_and_does_not_spin(cast: Cast, things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[Run] = []
    monkeypatch.setattr(vacancies, "_unanswered", [ended.append])
    make_path(cast, "responder", "risk")
    vacate(cast, "responder")
    vacate(cast, "risk")
    run = begin(cast)
    assert fire() == 2
    assert fire(59) == 0
    assert fire(60) == 1
    run.refresh_from_db()
    assert run.status == Status.ENDED
    assert ended == [run]


def test_the_last_step_is_called_again(cast: Cast, things: Things) -> None:
    make_path(cast, "responder", "risk", repeats=2)
    run = begin(cast)
    for seconds in range(0, 400, 10):
        fire(seconds)
    assert calls(run) == [("called", 0, 0), ("called", 1, 0), ("called", 1, 1), ("called", 1, 2)]
    run.refresh_from_db()
    assert run.status == Status.ENDED
    assert Notice.objects.filter(cause_id=run.pk, recipient=cast.users["kate"], channel="email").count() == 3


def test_until_somebody_answers(cast: Cast, things: Things, ivan) -> None:  # type: ignore[no-untyped-def]
    make_path(cast, "responder", repeats=None)
    run = begin(cast)
    for seconds in range(0, 601, 60):
        fire(seconds)
    assert len(calls(run)) == 11
    run.acknowledge(actor=ivan)
    assert fire(10_000) == 0


def test_an_end_that_nobody_answered_can_still_be_answered(cast: Cast, things: Things, ivan) -> None:  # type: ignore[no-untyped-def]
    make_path(cast, "responder")
    run = begin(cast)
    fire()
    fire(60)
    run.refresh_from_db()
    assert run.status == Status.ENDED
    follow.acknowledged("thing", run.subject_id, actor=ivan)
    run.refresh_from_db()
    assert run.status == Status.ACKNOWLEDGED


def test_late_ticks_give_everybody_their_time(cast: Cast, things: Things) -> None:
    make_path(cast, "responder", "risk")
    run = begin(cast)
    assert fire(7200) == 1  # the tick was down for two hours
    assert fire(7259) == 0
    assert fire(7260) == 1
    assert reached(run) == [["ivan"], ["kate"]]


def test_a_settled_subject_calls_nobody(cast: Cast, things: Things) -> None:
    make_path(cast, "responder", "risk")
    run = begin(cast)
    fire()
    things.settled.add(run.subject_id)
    fire(60)
    run.refresh_from_db()
    assert (run.status, len(calls(run))) == (Status.STOPPED, 1)


def test_the_path_is_frozen_and_people_are_bound_late(cast: Cast, things: Things) -> None:
    path = make_path(cast, "responder", "risk")
    run = begin(cast)
    fire()
    with acting(system_user(), "a test"):
        for step in path.steps.all():
            step.role = cast.roles["executive"]
            step.after_seconds = 1
            step.save()
    with acting(system_user(), "a test"):
        Absence(user=cast.users["kate"], starts=START, ends=START + timedelta(days=1)).save()
        Delegation(delegator=cast.users["kate"], delegate=cast.users["dana"], starts=START, ends=START + timedelta(days=1)).save()
    assert fire(59) == 0
    fire(60)
    assert reached(run) == [["ivan"], ["dana"]]
    assert run.events.get(step=1, kind="called").reached[0]["acting_for"] == str(cast.users["kate"].pk)
    assert "You stand in for Kate Klein" in Notice.objects.get(recipient=cast.users["dana"], channel="email").body


def test_by_hand_calls_the_next_now(cast: Cast, things: Things, ivan) -> None:  # type: ignore[no-untyped-def]
    make_path(cast, "responder", "risk", "executive@root")
    run = begin(cast)
    fire()
    with pytest.raises(ReasonMissing):
        escalate(run, actor=ivan, reason="")
    with at(START + timedelta(seconds=10)):
        escalate(run, actor=ivan, reason="Patients are affected")
    assert reached(run) == [["ivan"], ["kate"]]
    assert run.generation == 2
    assert run.events.get(kind=EventKind.BY_HAND).reason == "Patients are affected"
    fire(69)
    assert len(calls(run)) == 2  # the old round's timer at 60 is cancelled
    fire(70)
    assert reached(run) == [["ivan"], ["kate"], ["erin"]]
    with at(START + timedelta(seconds=80)):
        escalate(run, actor=ivan, reason="Nobody comes")
    assert reached(run)[-1] == ["erin"]


def test_by_hand_takes_an_answer_back(cast: Cast, things: Things, ivan, kate) -> None:  # type: ignore[no-untyped-def]
    make_path(cast, "responder", "risk")
    run = begin(cast)
    run.acknowledge(actor=ivan)
    escalate(run, actor=kate, reason="The answer was not enough")
    assert (run.status, run.answered_by) == (Status.RUNNING, None)
    assert reached(run) == [["ivan"]]  # nobody had been called yet, so the first is


def test_by_hand_needs_the_right(cast: Cast, things: Things) -> None:
    make_path(cast, "responder")
    run = begin(cast)
    with pytest.raises(NotVisible):
        escalate(run, actor=cast.users["charlie"], reason="me")


def test_seeing_is_not_acknowledging(cast: Cast, things: Things) -> None:
    from stewardship.roles.assign import assign
    from stewardship.roles.matrix import define_role

    viewer = define_role(actor=system_user(), slug="viewer", name="viewer", rights={"escalation:run:view": "R"})
    assign(actor=system_user(), role=viewer, user=cast.users["charlie"], region=cast.regions["eu"], rationale="a test")
    make_path(cast, "responder")
    run = begin(cast)
    with pytest.raises(Forbidden) as refusal:
        run.acknowledge(actor=cast.users["charlie"])
    assert "responder" in refusal.value.remedy


# --- starting ---


def test_nobody_configured_is_said(cast: Cast, things: Things) -> None:
    with pytest.raises(NoPath) as refusal:
        begin(cast)
    assert "EU" in refusal.value.message
    assert refusal.value.remedy
    make_path(cast, region="eu")  # a path without steps calls nobody
    with pytest.raises(NoPath):
        begin(cast)
    with pytest.raises(UnknownSubject):
        begin(cast, subject_kind="nothing")


def test_the_nearest_path_and_the_level(cast: Cast, things: Things) -> None:
    far = make_path(cast, "executive", region="global", level="act")
    assert path_for("thing", "act", cast.regions["de"]) == far
    assert path_for("thing", "observe", cast.regions["de"]) is None
    near = make_path(cast, "responder", region="eu")
    assert path_for("thing", "act", cast.regions["de"]) == near
    exact = make_path(cast, "risk", region="eu", level="act")
    assert path_for("thing", "act", cast.regions["de"]) == exact
    assert path_for("thing", "observe", cast.regions["fr"]) == near
    assert path_for("thing", "act", cast.regions["jp"]) == far


def test_starting_twice_is_starting_once(cast: Cast, things: Things) -> None:
    make_path(cast, "responder")
    subject = uuid.uuid4()
    first = begin(cast, subject_id=subject)
    assert begin(cast, subject_id=subject) == first
    higher = begin(cast, subject_id=subject, level="act")
    first.refresh_from_db()
    assert (first.status, higher.status) == (Status.STOPPED, Status.RUNNING)
    assert "Replaced" in first.events.get(kind=EventKind.STOPPED).reason
    follow.settled("thing", subject, actor=system_user(), reason="over")
    follow.settled("thing", subject, actor=system_user(), reason="over")
    follow.acknowledged("thing", subject, actor=system_user())  # nothing to do
    assert begin(cast, subject_id=subject).pk not in (first.pk, higher.pk)


def test_the_model_scope_calls_the_nearest_holder(cast: Cast, things: Things, model: RegisteredModel) -> None:
    make_path(cast, "owner@model")
    run = begin(cast, region="de", model=model)
    fire()
    assert reached(run) == [["alice"]]


def test_working_time(cast: Cast, things: Things) -> None:
    with acting(system_user(), "a test"):
        week = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
        WorkingCalendar(region=cast.regions["eu"], zone="Europe/Berlin", week=week, country="", subdivision="", closures=[]).save()
    path = make_path(cast, "responder", "risk", seconds=3600)
    with acting(system_user(), "a test"):
        step = path.steps.get(order=1)
        step.clock = Step.Clock.WORKING
        step.save()
    friday = datetime(2031, 3, 7, 15, 30, tzinfo=UTC)  # 16:30 in Berlin
    run = begin(cast, friday)
    fire_due(friday)
    assert Timer.objects.get(run=run, state="pending").due_at == datetime(2031, 3, 10, 8, 30, tzinfo=UTC)  # Monday 09:30


# --- nothing is lost ---


def test_a_run_that_fails_does_not_hold_up_the_others(cast: Cast, things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    make_path(cast, "responder")
    broken, sound = begin(cast), begin(cast, START + timedelta(seconds=1))
    from stewardship.escalation import fire as firing
    from stewardship.escalation import waiting

    real = waiting.holders_of
    monkeypatch.setattr(firing, "holders_of", lambda run, step, at: 1 / 0 if run.pk == broken.pk else real(run, step, at))
    fire(1)
    assert (len(calls(broken)), len(calls(sound))) == (0, 1)
    timer = Timer.objects.get(run=broken)
    assert (timer.state, timer.failures, timer.due_at) == ("pending", 1, START + timedelta(seconds=1) + RETRY)
    monkeypatch.setattr(firing, "holders_of", real)
    fire(1 + RETRY.total_seconds())
    assert len(calls(broken)) == 1


def test_an_old_rounds_timer_is_fenced_off(cast: Cast, things: Things) -> None:
    make_path(cast, "responder")
    run = begin(cast)
    timer = Timer.objects.get()
    Timer.objects.filter(pk=timer.pk).update(generation=7)
    with at(START):
        assert fire_one(timer.pk, run.pk) is False
    assert calls(run) == []


def test_the_database_allows_one_call_and_one_live_run(cast: Cast, things: Things) -> None:
    make_path(cast, "responder")
    run = begin(cast)
    fire()
    with at(START), pytest.raises(IntegrityError), transaction.atomic():
        run.note(EventKind.CALLED, step=0, loop=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Timer.objects.create(run=run, generation=9, step=0, loop=0, due_at=START)
    with at(START), pytest.raises(IntegrityError), transaction.atomic():
        Run(**{f.attname: getattr(run, f.attname) for f in Run._meta.fields if f.name != "id"}).save()


def test_a_step_after_the_end_is_refused(cast: Cast) -> None:
    path = make_path(cast, "responder", "risk")
    first = path.steps.get(order=0)
    first.on_timeout = Step.OnTimeout.END
    with pytest.raises(ValidationError):
        first.full_clean()
    last = path.steps.get(order=1)
    last.on_timeout = Step.OnTimeout.END
    last.full_clean()
    assert str(last) == "1. risk officer"
    assert str(path) == "Test path"
    assert Path.objects.allowed(cast.users["frank"], "escalation:path:configure").get() == path


def test_an_end_step_ends(cast: Cast, things: Things) -> None:
    path = make_path(cast, "responder", "risk", repeats=None)
    with acting(system_user(), "a test"):
        last = path.steps.get(order=1)
        last.on_timeout = Step.OnTimeout.END
        last.save()
    run = begin(cast)
    for seconds in (0, 60, 120):
        fire(seconds)
    run.refresh_from_db()
    assert (run.status, len(calls(run))) == (Status.ENDED, 2)


def test_subjects_can_be_chosen(things: Things) -> None:
    assert ("thing", "Thing") in subjects.choices()
