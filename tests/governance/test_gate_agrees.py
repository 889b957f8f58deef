"""Whatever happens in whatever order: the gate's kept answer, a full evaluation and the change page say the same."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from governance.approvals.errors import NotYetCompliant
from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest
from governance.gate.ask import ask
from governance.gate.deploy import record_deployment
from governance.gate.errors import NotAllowed
from governance.gate.judge import Place, evaluate
from governance.gate.models import Standing
from governance.policies.models import PolicyVersion, Waiver
from governance.policies.waive import grant
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import Absence, system_user
from stewardship.roles.models import Role
from tests.cast import Cast, make_version
from tests.deep import depth
from tests.governance.change_case import decides, fresh, full_draft, metrics, policy, route, with_evidence

# A case draws two pages, so that the run of every day makes fewer than the night does; their order is fixed.
CASES = depth(40, 1_000)
NO_WORSE = "evidence.metrics.recall.low >= previous.metrics.recall.low"
SEED = 20260722


class World:
    """Two versions of one model, and the things that may happen to them."""

    def __init__(self, cast: Cast, model: RegisteredModel) -> None:
        self.cast, self.model, self.policies = cast, model, 0
        self.versions = [make_version(model, label) for label in ("1.0.0", "1.1.0")]
        self.changes: dict[ModelVersion, ChangeRequest] = {}
        policy(cast)
        route(cast, stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
        for version in self.versions:
            with_evidence(version)
            self.agree(version)
            if version is self.versions[0]:
                self.deploy(version)  # so that the next one is compared with something
        self.adopt({"no-worse": NO_WORSE})

    def place(self, version: ModelVersion) -> Place:
        return Place(version, self.cast.environments["production"], self.cast.regions["de"])

    def events(self, chance: random.Random) -> list[Callable[[], object]]:
        version = chance.choice(self.versions)
        system = system_user()
        measure = lambda: with_evidence(version, data=metrics("0.97", f"0.{chance.randint(84, 96)}"))  # noqa: E731  # one of a list of them
        return [
            *[measure] * 4,
            lambda: with_evidence(version, data=b"not json"),
            lambda: self.model.set_tier(chance.randint(1, 4), actor=system, reason="Assessed"),
            lambda: self.adopt({"tier": f"model.tier <= {self.policies % 4 + 1}"}),
            lambda: self.adopt({"no-worse": NO_WORSE}),
            lambda: self.retire(chance),
            lambda: self.excuse(chance),
            lambda: self.rename(chance),
            lambda: self.take_leave(chance),
            lambda: self.deploy(version),
            lambda: self.agree(version),
            lambda: Standing.objects.all().delete(),
            lambda: Standing.objects.update(valid_until=timezone.now()),
            lambda: None,
        ]

    def local(self) -> list[PolicyVersion]:
        return list(PolicyVersion.objects.filter(status="in_force", policy__slug__startswith="local").order_by("policy__slug"))

    def adopt(self, rules: dict[str, str]) -> None:
        if len(local := self.local()) > 1:  # many at once would hide each other
            local[0].retire(actor=system_user(), reason="Replaced")
        self.policies += 1
        policy(self.cast, "de", slug=f"local-{self.policies}", rules=rules)

    def retire(self, chance: random.Random) -> None:
        if local := self.local():
            chance.choice(local).retire(actor=system_user(), reason="Enough")

    def excuse(self, chance: random.Random) -> None:
        held = list(Waiver.objects.in_force(timezone.now()).order_by("rule", "granted_at"))
        if held:
            chance.choice(held).end(actor=system_user(), reason="Enough")
        elif local := self.local():
            rule = chance.choice(local).rules.get()
            grant(
                actor=system_user(), model=self.model, region=self.cast.regions["de"], rule=rule.name, reason="For now",
                compensating_control="A second look", expires_at=timezone.now() + timedelta(days=chance.randint(1, 9)),
            )  # fmt: skip

    def rename(self, chance: random.Random) -> None:
        """Configuration that no verb tells the gate of."""
        role = Role.objects.get(slug="owner")
        role.name = f"model owner {chance.randint(1, 9)}"
        with acting(system_user(), "Named anew"):
            role.save()

    def take_leave(self, chance: random.Random) -> None:
        """Whom to ask changes, whatever the verdict."""
        away = Absence.objects.in_force(timezone.now()).first()
        with acting(system_user(), "Leave"):
            if away is not None:
                away.ends = timezone.now()
                away.save()
            else:
                Absence(user=self.cast.users["alice"], starts=timezone.now(), ends=timezone.now() + timedelta(days=3)).save()

    def agree(self, version: ModelVersion) -> None:
        change = full_draft(self.cast, self.model, version)
        submit(change, actor=self.cast.users["alice"])
        try:
            decides(change, self.cast.users["bob"])
            self.changes[version] = change
        except NotYetCompliant:  # nobody can approve what the policies refuse
            fresh(change).withdraw(actor=self.cast.users["alice"], reason="Not now")

    def deploy(self, version: ModelVersion) -> None:
        place = self.place(version)
        with suppress(NotAllowed):
            record_deployment(actor=self.cast.users["pipeline"], version=version, environment=place.environment, region=place.region)


@pytest.mark.soak
def test_gate_page_and_evaluation_never_disagree(cast: Cast, model: RegisteredModel) -> None:
    chance, world = random.Random(SEED), World(cast, model)
    client = Client()
    client.force_login(cast.users["alice"])
    seen: set[str] = set()
    for case in range(CASES):
        chance.choice(world.events(chance))()
        for version in world.versions:  # both, so that each event meets two answers that are ready
            place = world.place(ModelVersion.objects.select_related("model__region", "model__family").get(pk=version.pk))
            computed = evaluate(place, timezone.now())
            said = ask(model=model.slug, version=version.label, environment="production", region="de", actor=cast.users["pipeline"])
            html = client.get(world.changes[version].get_absolute_url()).content.decode()
            shown = re.search(r'data-gate="(\w+)"', html)
            assert shown is not None
            assert said.verdict == computed.verdict == shown[1], f"case {case}"
            assert said.reasons == [reason.as_document() for reason in computed.reasons], f"case {case}"
            seen.add(said.verdict)
    assert seen == {"allow", "deny", "undecided"}
