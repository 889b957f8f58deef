"""What lies on people's desks on the day of the telling."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from demo import acts
from demo.chronicle import Story
from demo.world import World
from governance.changes.models import Kind
from stewardship.actions.models import Action
from stewardship.actions.open import open_action
from stewardship.coverage.sweep import sweep
from stewardship.people.standing import be_absent
from stewardship.threads.comment import comment


def stories(world: World) -> Iterable[Story]:
    """One story for each desk."""
    yield from promises(world)
    yield exception_asked_for(world)
    yield next_version(world)
    yield odds_and_ends(world)


def promises(world: World) -> Iterable[Story]:
    """Actions that are overdue, due today, due later, done and waiting to be verified, and verified."""
    plans = (
        (40, "clara", "otto", "sme-default", "Write down which hotels still receive aid", -3.0, ""),
        (30, "ruth", "anna", "credit-score-fr", "Explain how missing incomes are scored", 0.3, ""),
        (21, "victor", "sofia", "readmission-risk", "Add the subgroup of patients over eighty", 9.0, ""),
        (35, "clara", "tomasz", "card-fraud-eu", "Test that merchant categories are never empty", -10.0, "A contract test since run 8112."),
        (60, "rosa", "bella", "card-fraud-us", "Read amounts in both notations", -40.0, "Merged and replayed on the rows of that week."),
        (12, "ruth", "imogen", "cashflow-forecast", "Repeat the test when the energy contracts are renewed", 30.0, ""),
    )  # fmt: skip
    yield from (promise(world, *plan) for plan in plans)


def promise(world: World, days: int, by: str, owner: str, slug: str, title: str, due: float, evidence: str) -> Story:
    """One action: opened, and where there is evidence done four days later and, by Rosa, verified two days after that."""
    yield (at := world.ago(days, 11))
    model = world.models[slug]
    with world.as_(by, at) as person:
        action: Action = open_action(
            actor=person,
            title=title,
            owner=world.people[owner],
            due_at=world.now + timedelta(days=due),
            region=model.region,
            model=model,
            verifier=person if by != "rosa" else None,
            origin_kind="review",
            origin_label="Monthly review",
        )
    if not evidence:
        return
    yield at + timedelta(days=4)
    with world.as_(owner, at + timedelta(days=4)) as person:
        action.complete(actor=person, evidence=evidence)
    if by == "rosa":
        yield at + timedelta(days=6)
        with world.as_("rosa", at + timedelta(days=6)) as person:
            action.verify(actor=person, comment="Seen.")


def exception_asked_for(world: World) -> Story:
    """A waiver on which risk and compliance are asked today."""
    yield (at := world.ago(2, 10))
    model = world.models["household-premium"]
    change = acts.ask(
        world,
        at,
        "anna",
        model,
        kind=Kind.WAIVER,
        title="Household premium: last winter's rows arrive in January",
        rationale="The claims of the last storm are still being counted, so the dossier's data section stays open until then.",
        waived_rule="release/dossier-complete",
        compensating_control="The tariff committee sees each table before it is used.",
        waiver_until=world.now + timedelta(days=60),
    )
    yield (at := world.ago(2, 15))
    acts.put_forward(world, at, "anna", change)


def next_version(world: World) -> Story:
    """Anna has begun to write the change with which the next version of the real model will come."""
    yield (at := world.ago(3, 16))
    acts.ask(
        world,
        at,
        "anna",
        world.models["tumour-risk"],
        kind=Kind.RETRAINING,
        title="A freer model that misses fewer cases",
        rationale="Seven of 64 malignant cases were missed in the test. Gradient boosting on the same rows may miss fewer.",
        ethical_considerations="Fewer missed cases, at the price of coefficients that can no longer be read one by one.",
    )


def odds_and_ends(world: World) -> Story:
    """A discussion, a fact that nobody can place, an absence, and the look for gaps."""
    yield (at := world.ago(6, 9))
    model = world.models["next-best-offer"]
    with world.as_("clara", at) as clara:
        said = "@anna is a customer in a payment plan really left out of every offer, or only of credit?"
        comment(actor=clara, subject_kind="model", subject_id=model.pk, model=model, region=model.region, text=said)
    yield (at := world.ago(5, 10))
    with world.as_("anna", at) as anna:
        said = "@clara of every offer. The rule stands in front of the model; I added it to the model card."
        comment(actor=anna, subject_kind="model", subject_id=model.pk, model=model, region=model.region, text=said)
    yield (at := world.ago(3, 11))
    end = world.ago(4, 5)
    acts.report(world, at, [acts.window("branch-queue", "1.0.0", "sg", "mape", Decimal("0.09"), 310, end - timedelta(weeks=1), end)])
    yield (at := world.ago(1, 12))
    with world.as_("stella", at) as stella:
        be_absent(stella, actor=stella, starts=at, ends=world.now + timedelta(days=9))
    yield (at := world.ago(0, 1))
    sweep(at)
