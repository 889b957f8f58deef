"""What is told of some models beside their ordinary life: refusals, waivers, alarms true and false, deadlines kept and missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from demo import acts
from demo.chapters.life import Life
from demo.chronicle import Story
from demo.pace import Pace
from governance.changes.models import ChangeRequest, Kind
from monitoring.alerts import silence
from stewardship.escalation.models import Run
from stewardship.inventory import deploy
from stewardship.inventory.models import Stage


def refused(life: Life) -> Story:
    """A version that fails a test and is calibrated worse: nobody can approve it, and it is rejected with the reasons."""
    yield from life.begin()
    yield from life.live(until=66)
    pace = Pace(life.world, 64, 8)
    yield pace.at
    version = life.build(pace.at, "2.0.0", Decimal("0.081"), failed=("missing_values",))
    change = life.ask(pace.at, version, title="Scorecard without pay slips")
    yield pace.later(1, 10)
    acts.put_forward(life.world, pace.at, life.line.owner, change)
    yield pace.later(1, 15)
    why = "One test fails and the Brier score is above the limit for the EU. The rows without an income are scored as if it were zero."
    acts.answer(life.world, pace.at, life.line.lead, change, "reject", why)
    yield from life.watch(2)


def waived(life: Life) -> Story:
    """A forecast misses its limit for a reason that will pass: an exception with an end, and something done instead."""
    life.normal = Decimal("0.128")
    yield from life.begin()
    pace = Pace(life.world, 235, 8)
    yield pace.at
    version = life.build(pace.at, "1.0.0", Decimal("0.172"))
    life.describe(pace.at, "Model card of 1.0.0")
    acts.move(life.world, pace.at, life.line.owner, life.model, [Stage.VALIDATION], "1.0.0 goes to the second line")
    change = life.ask(pace.at, version)
    yield pace.later(1, 9)
    acts.put_forward(life.world, pace.at, life.line.owner, change)
    yield pace.later(1, 11)
    acts.answer(life.world, pace.at, life.line.lead, change, "return", "The error is above the limit. Fix it, or ask for a waiver first.")
    yield pace.later(2, 9)
    waiver = life.ask(
        pace.at,
        None,
        kind=Kind.WAIVER,
        environment=None,
        title="Cash-flow forecast with a larger error until the energy contracts are renewed",
        rationale="Energy prices doubled in the months of the test; without them the error is 0.11.",
        waived_rule="release/forecast-error",
        compensating_control="Advisers add a fifth to the buffer that the forecast suggests, and say so in the file.",
        waiver_until=life.world.now + timedelta(days=75),
        rollback=None,
    )
    yield pace.later(0, 14)
    acts.put_forward(life.world, pace.at, life.line.owner, waiver)
    yield pace.later(1, 10)
    acts.answer(life.world, pace.at, "clara", waiver, comment="Time-boxed, with a control that protects the firms. Agreed.")
    yield pace.later(0, 15)
    acts.answer(life.world, pace.at, life.line.risk, waiver, comment="Agreed until the contracts are renewed, no longer.")
    yield pace.later(1, 9)
    acts.put_forward(life.world, pace.at, life.line.owner, change)
    yield from life.decide(pace, change)
    yield pace.later(1, 8)
    life.deploy(pace.at, version)
    yield from life.watch(2)


def retired(life: Life) -> Story:
    """Used for a while, then taken out of use."""
    yield from life.begin()
    yield from life.live(until=70)
    pace = Pace(life.world, 62, 10)
    yield pace.at
    for running in life.model.live(pace.at):
        with life.world.as_(life.line.owner, pace.at, "Nobody uses it any more") as person:
            deploy.end(running, actor=person, reason="Replaced by a report that needs no model")
    yield pace.later(1, 9)
    acts.move(life.world, pace.at, life.line.owner, life.model, [Stage.RETIRED], "Replaced by a report that needs no model")


def rolled_back(life: Life) -> Story:
    """A release goes wrong within two weeks: the right person is called, and the version before it is back the same day."""
    yield from life.begin()
    yield from life.live(until=52)
    before = life.running
    assert before is not None
    yield from life.release(50, "2.0.0")
    at = life.world.ago(31, 6)
    yield at
    alert = life.measure(at, value=Decimal("0.212"))
    assert alert is not None
    yield at + timedelta(minutes=18)
    with life.world.as_("otto", at + timedelta(minutes=18), "On it") as otto:
        alert.acknowledge(actor=otto, reason="On it: looking at what was deployed.")
    back = ChangeRequest.objects.get(kind=Kind.ROLLBACK, model=life.model, origin_id=alert.pk)
    yield at + timedelta(minutes=55)
    acts.put_forward(life.world, at + timedelta(minutes=55), "otto", back)
    yield at + timedelta(hours=2)
    acts.answer(life.world, at + timedelta(hours=2), "ruth", back, comment="Go back now; the cause can be found afterwards.")
    yield at + timedelta(hours=2, minutes=20)
    life.deploy(at + timedelta(hours=2, minutes=20), before)
    yield (later := life.world.ago(28, 15))
    with life.world.as_("otto", later) as otto:
        alert.resolve(actor=otto, outcome="fixed", reason="Rolled back. The new shops feed had lost the merchant category.")
    life.watched_until = later
    yield from life.watch(2)


def called(life: Life) -> Story:
    """The first person does not answer within the hour; the second one does."""
    yield from life.begin()
    yield from life.live(until=30)
    at = life.world.ago(22, 14)
    yield at
    alert = life.measure(at, drift=Decimal("0.46"))
    assert alert is not None
    yield (later := at + timedelta(minutes=84))
    with life.world.as_(life.line.owner, later) as owner:
        alert.acknowledge(actor=owner, reason="I take it; nobody answered in the hour before.")
    yield (later := at + timedelta(hours=5))
    with life.world.as_(life.line.owner, later) as owner:
        alert.investigate(actor=owner, reason="A terminal maker changed how amounts in cents are written.")
    yield (later := life.world.ago(19, 17))
    with life.world.as_(life.line.owner, later) as owner:
        alert.resolve(actor=owner, outcome="fixed", reason="Amounts are read in both ways now; drift is back at 0.04.")
    life.watched_until = later
    yield from life.watch(2)


def false_alarm(life: Life) -> Story:
    """It looked like drift and was a migration of data."""
    yield from life.begin()
    yield from life.live(until=40)
    at = life.world.ago(33, 3)
    yield at
    alert = life.measure(at, drift=Decimal("0.31"))
    assert alert is not None
    yield (later := at + timedelta(hours=3))
    with life.world.as_(life.line.owner, later) as owner:
        alert.acknowledge(actor=owner)
    yield (later := life.world.ago(30, 4))
    with life.world.as_(life.line.owner, later) as owner:
        alert.resolve(actor=owner, outcome="false_alarm", reason="A migration wrote country codes twice; no payment was scored with them.")
    life.watched_until = later
    yield from life.watch(2)


def late(life: Life) -> Story:
    """A decision that came after its deadline: risk was called, then the executive, and nothing was approved by waiting."""
    yield from life.begin()
    yield from life.live(until=90)
    pace = Pace(life.world, 82, 8)
    yield pace.at
    version = life.build(pace.at, "1.1.0")
    change = life.ask(pace.at, version, title="Tariff with the storms of two winters")
    yield pace.later(1, 9)
    acts.put_forward(life.world, pace.at, life.line.owner, change)
    yield pace.later(6, 16)
    for run in Run.objects.live().filter(model=life.model, subject_kind="approval"):
        with life.world.as_("edith", pace.at) as edith:
            run.acknowledge(actor=edith)
    yield from life.decide(pace, change)
    yield pace.later(1, 8)
    life.deploy(pace.at, version)
    yield from life.watch(2)


def overdue(life: Life) -> Story:
    """A change whose second line has not decided in time, today."""
    yield from life.begin()
    yield from life.live(until=14)
    pace = Pace(life.world, 13, 8)
    yield pace.at
    version = life.build(pace.at, "1.1.0")
    change = life.ask(pace.at, version, title="Supplement tariff after the rise of treatment costs")
    yield pace.later(1, 9)
    acts.put_forward(life.world, pace.at, life.line.owner, change)
    yield pace.later(1, 11)
    acts.answer(life.world, pace.at, life.line.lead, change, comment=life.comment("technical"))
    yield from life.watch(2)


def waits(life: Life) -> Story:
    """A change that waits for a decision today: of the technical lead, or of the second line."""
    yield from life.begin()
    yield from life.live(until=6)
    second = life.plan["waits"] == "second"
    pace = Pace(life.world, 5 if second else 3, 7)
    yield pace.at
    version = life.build(pace.at, f"1.{len(life.versions)}.0")
    life.describe(pace.at, f"Model card of {version.label}")
    change = life.ask(pace.at, version)
    yield pace.later(0, 15)
    acts.put_forward(life.world, pace.at, life.line.owner, change)
    if second:
        yield pace.later(1, 12)
        acts.answer(life.world, pace.at, life.line.lead, change, comment=life.comment("technical"))


def returned(life: Life) -> Story:
    """A change that came back to its owner with a question."""
    yield from life.begin()
    yield from life.live(until=7)
    pace = Pace(life.world, 6, 8)
    yield pace.at
    version = life.build(pace.at, "1.1.0")
    change = life.ask(pace.at, version, title="Complaints in dialect")
    yield pace.later(1, 10)
    acts.put_forward(life.world, pace.at, life.line.owner, change)
    yield pace.later(1, 13)
    acts.answer(life.world, pace.at, life.line.lead, change, "return", "How was dialect counted? Please add the subgroup to the tests.")


def investigated(life: Life) -> Story:
    """An investigation under way."""
    yield from life.begin()
    yield from life.live(until=9)
    yield (at := life.world.ago(0, 26))
    alert = life.measure(at, value=Decimal("0.154"))
    assert alert is not None
    yield (at := life.world.ago(0, 21))
    with life.world.as_(life.line.owner, at) as owner:
        alert.investigate(actor=owner, reason="Hotels look healthier than they are: state aid ended, and the rows still hold it.")


def acting(life: Life) -> Story:
    """An alarm of today that was taken on, with the way back drafted and waiting."""
    yield from life.begin()
    yield from life.live(until=9)
    yield (at := life.world.ago(0, 4))
    alert = life.measure(at, value=Decimal("0.274"))
    assert alert is not None
    yield (at := life.world.ago(0, 3.8))
    with life.world.as_(life.line.responder, at) as responder:
        alert.acknowledge(actor=responder, reason="Looking at the payment file of this morning.")


def vacant(life: Life) -> Story:
    """An alarm where nobody holds the role that is called first: the gap is noticed and the next person is called."""
    yield from life.begin()
    yield from life.live(until=9)
    yield (at := life.world.ago(0, 2))
    life.measure(at, drift=Decimal("0.44"))


def observed(life: Life) -> Story:
    """A value worth noting, which calls nobody."""
    yield from life.begin()
    yield from life.live(until=9)
    yield (at := life.world.ago(0, 30))
    life.measure(at, value=Decimal("0.112"))


def silent(life: Life) -> Story:
    """The monitoring service has stopped sending: not known is not healthy."""
    yield from life.begin()
    yield from life.live(until=25)
    yield (at := life.world.ago(0, 6))
    with life.world.as_("system", at):
        silence.sweep()


CHAPTERS: dict[str, Callable[[Life], Story]] = {
    each.__name__: each
    for each in (
        refused,
        waived,
        retired,
        rolled_back,
        called,
        false_alarm,
        late,
        overdue,
        waits,
        returned,
        investigated,
        acting,
        vacant,
        observed,
        silent,
    )
}
