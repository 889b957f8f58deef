"""Whatever happens in whatever order: no step fires twice or early, none is lost, order holds, an answer ends it."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from config.portal.errors import IllegalTransition
from stewardship.escalation import fire as firing
from stewardship.escalation.by_hand import escalate
from stewardship.escalation.fire import fire_due
from stewardship.escalation.frozen import Frozen
from stewardship.escalation.frozen import Step as FrozenStep
from stewardship.escalation.models import Run, Status, Timer
from stewardship.escalation.rules import after, first
from stewardship.journal.acting import acting
from stewardship.notices.models import Notice
from stewardship.people.models import system_user
from stewardship.roles.assign import assign
from stewardship.roles.models import RoleAssignment
from tests.cast import Cast, load_cast
from tests.deep import depth
from tests.stewardship.calls import START, at, begin, make_path
from tests.stewardship.calls import things as things

ROLES = ("responder", "risk", "executive")
STEP = 60


def steps(n: int, timeouts: list[str]) -> Frozen:
    made = tuple(
        FrozenStep(
            index=i,
            role="r",
            role_name="R",
            scope="region",
            after_seconds=STEP,
            clock="elapsed",
            channel="email",
            expects="act",
            on_timeout=t,
        )
        for i, t in zip(range(n), timeouts, strict=True)
    )
    return Frozen(slug="p", name="P", steps=made, last_wait_seconds=STEP, repeats=0)


@given(st.data(), st.integers(1, 6), st.one_of(st.none(), st.integers(0, 3)))
def test_every_path_reaches_its_end_in_order(data: st.DataObject, n: int, repeats: int | None) -> None:
    timeouts = data.draw(st.lists(st.sampled_from(["next", "end"]), min_size=n, max_size=n))
    path = Frozen(**{**steps(n, timeouts).__dict__, "repeats": repeats})
    wait = first(path)
    made: list[tuple[int, int]] = []
    while wait.step < path.end and len(made) < 50:
        made.append((wait.step, wait.loop))
        wait = after(path, wait.step, wait.loop, reached=data.draw(st.booleans()))
        assert (wait.step, wait.loop) > made[-1]  # strictly onward: never the same call twice
        assert wait.seconds > 0 or wait.step < path.end  # only a step that reached nobody is passed at once
    assert [step for step, loop in made if loop == 0] == list(range(len([1 for _step, loop in made if loop == 0])))
    if repeats is not None:
        assert wait.step == path.end
        assert len(made) <= n + repeats


class Calls(RuleBasedStateMachine):
    """One run, one clock; ticks, late ticks, killed ticks, answers, hands, vacancies and settled subjects in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.now = START
        self.answered = False

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize(repeats=st.integers(0, 2))
    def begin(self, repeats: int) -> None:
        self.cast: Cast = load_cast()  # people as they are; what an example does to them is undone after it
        self.subject = uuid.uuid4()
        self.path = make_path(self.cast, *ROLES, seconds=STEP, repeats=repeats)
        self.repeats = repeats
        self.run = begin(self.cast, self.now, subject_id=self.subject)

    @rule(seconds=st.sampled_from([0, 1, STEP - 1, STEP, STEP + 1, 10 * STEP]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(ticks=st.integers(1, 3))
    def tick(self, ticks: int) -> None:
        for _each in range(ticks):
            fire_due(self.now)

    @rule(line=st.sampled_from(["due_at", "tell", "after"]))
    def killed_tick(self, line: str) -> None:
        """The process dies on some line of the firing: the transaction is undone as the database would undo it."""
        patch = pytest.MonkeyPatch()
        patch.setattr(firing, line, lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        with suppress(KeyboardInterrupt), transaction.atomic():
            fire_due(self.now)
        patch.undo()

    @rule(who=st.sampled_from(["ivan", "kate", "erin"]))
    def acknowledge(self, who: str) -> None:
        with at(self.now), suppress(IllegalTransition):
            self.run.acknowledge(actor=self.cast.users[who])

    @rule()
    def call_on(self) -> None:
        with at(self.now), suppress(IllegalTransition):
            escalate(self.run, actor=self.cast.users["ivan"], reason="a test")

    @rule(role=st.sampled_from(ROLES))
    def vacate_or_fill(self, role: str) -> None:
        held = RoleAssignment.objects.in_force(self.now).filter(role=self.cast.roles[role]).first()
        with at(self.now):
            if held is not None and held.valid_from < self.now:
                held.end(actor=system_user(), reason="a test")
            elif held is None:
                user = self.cast.users["dana" if role == "executive" else {"responder": "ivan", "risk": "kate"}[role]]
                scope = self.cast.regions["global" if role == "executive" else "eu"]
                with suppress(Exception):  # duties that may not meet: as refused as in life
                    assign(actor=system_user(), role=role, user=user, region=scope, rationale="a test")

    @rule()
    def edit_the_path(self) -> None:
        with acting(system_user(), "a test"):
            for step in self.path.steps.all():
                step.after_seconds += 1
                step.save()

    @rule()
    def settle(self) -> None:
        with at(self.now), suppress(IllegalTransition):
            self.run.settle(actor=system_user(), reason="a test")

    @precondition(lambda self: hasattr(self, "run"))
    @invariant()
    def holds(self) -> None:
        run = Run.objects.get(pk=self.run.pk)
        events = list(run.events.order_by("generation", "loop", "step"))
        made = [(e.generation, e.step, e.loop) for e in events if e.kind in ("called", "vacant")]
        assert len(made) == len(set(made)), "a step fired twice"
        pending = list(Timer.objects.filter(run=run, state="pending"))
        assert len(pending) == (1 if run.status == Status.RUNNING else 0), "a run that calls has one timer, one that does not has none"
        for event in events:
            timer = Timer.objects.filter(run=run, generation=event.generation, step=event.step, loop=event.loop).first()
            if event.kind in ("called", "vacant"):
                assert timer is not None, "a call without a timer"
                assert timer.state == "fired"
                assert timer.due_at <= event.at, "a call came early"
        for generation in {g for g, _s, _l in made}:
            mine = [(s, loop) for g, s, loop in made if g == generation]
            ordered = [s for s, loop in sorted(mine, key=lambda one: (one[1], one[0]))]
            assert ordered == sorted(ordered), "steps fire in order"
            assert ordered == list(range(ordered[0], ordered[-1] + 1)) + [ordered[-1]] * (len(ordered) - (ordered[-1] - ordered[0] + 1))
        told = {(n.step, n.recipient_id) for n in Notice.objects.filter(cause_id=run.pk, cause_kind="escalation", channel="email")}
        expected = {
            (f"{e.generation}.{e.step}.{e.loop}", uuid.UUID(each["user"])) for e in events if e.kind == "called" for each in e.reached
        }
        assert told == expected, "who was called was told, and nobody else"


@pytest.mark.soak
@pytest.mark.usefixtures("cast", "things")
def test_calls() -> None:
    run_state_machine_as_test(Calls, settings=settings(settings(), max_examples=depth(15, 10_000), stateful_step_count=15))
