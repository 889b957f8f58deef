"""Whatever happens in whatever order: the gate's kept answer, a full evaluation and the change page say the same."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable

from django.test import Client
from django.utils import timezone

from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest
from governance.gate.ask import ask
from governance.gate.deploy import record_deployment
from governance.gate.errors import NotAllowed
from governance.gate.judge import Place, evaluate
from governance.gate.models import Standing
from governance.policies.models import PolicyVersion
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, full_draft, metrics, policy, route, with_evidence

CASES = 1000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 80
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
            change = self.changes[version] = full_draft(cast, model, version)
            submit(change, actor=cast.users["alice"])
            decides(change, cast.users["bob"])

    def place(self, version: ModelVersion) -> Place:
        return Place(version, self.cast.environments["production"], self.cast.regions["de"])

    def events(self, chance: random.Random) -> list[Callable[[], object]]:
        version = chance.choice(self.versions)
        system = system_user()
        return [
            lambda: with_evidence(version, data=metrics("0.95", f"0.{chance.randint(80, 94)}")),
            lambda: with_evidence(version, data=b"not json"),
            lambda: self.model.set_tier(chance.randint(1, 4), actor=system, reason="Assessed"),
            self.adopt,
            lambda: self.retire(chance),
            lambda: self.deploy(version),
            lambda: Standing.objects.all().delete(),
            lambda: Standing.objects.update(valid_until=timezone.now()),
            lambda: None,
        ]

    def adopt(self) -> None:
        self.policies += 1
        policy(self.cast, "de", slug=f"local-{self.policies}", rules={"tier": f"model.tier <= {self.policies % 4 + 1}"})

    def retire(self, chance: random.Random) -> None:
        local = list(PolicyVersion.objects.filter(status="in_force", policy__slug__startswith="local"))
        if local:
            chance.choice(local).retire(actor=system_user(), reason="Enough")

    def deploy(self, version: ModelVersion) -> None:
        place = self.place(version)
        try:
            record_deployment(actor=self.cast.users["pipeline"], version=version, environment=place.environment, region=place.region)
        except NotAllowed:
            return


def test_gate_page_and_evaluation_never_disagree(cast: Cast, model: RegisteredModel) -> None:
    chance, world = random.Random(SEED), World(cast, model)
    client = Client()
    client.force_login(cast.users["alice"])
    seen: set[str] = set()
    for case in range(CASES):
        chance.choice(world.events(chance))()
        version = chance.choice(world.versions)
        place = world.place(ModelVersion.objects.select_related("model__region", "model__family").get(pk=version.pk))
        computed = evaluate(place, timezone.now()).verdict
        said = ask(model=model.slug, version=version.label, environment="production", region="de", actor=cast.users["pipeline"]).verdict
        html = client.get(world.changes[version].get_absolute_url()).content.decode()
        shown = re.search(r'data-gate="(\w+)"', html)
        assert shown is not None
        assert said == computed == shown[1], f"case {case}"
        seen.add(said)
    assert seen == {"allow", "deny", "undecided"}
