"""A version with evidence, an approval of it, and a pipeline that asks."""

from __future__ import annotations

from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest
from governance.gate.ask import Answer, ask
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence

ONE = [{"name": "Review", "requirements": [{"role": "validator"}]}]


def built(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


def asked(actor: User, version: ModelVersion, environment: str = "production", region: str = "de") -> Answer:
    return ask(model=version.model.slug, version=version.label, environment=environment, region=region, actor=actor)


def approved(cast: Cast, model: RegisteredModel, version: ModelVersion, *, first: bool = True, **fields: object) -> ChangeRequest:
    if first:
        policy(cast)
        route(cast, stages=ONE)
    change = full_draft(cast, model, version, **fields)
    submit(change, actor=cast.users["alice"])
    decides(change, cast.users["bob"])
    return fresh(change)
