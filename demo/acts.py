"""What people do in the story, each a call or two of the domain's verbs, at the time it is told to have happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from demo.models import entity_of
from demo.world import World
from governance.approvals.decide import decide
from governance.approvals.models import SUBJECT, Decision
from governance.approvals.submit import submit
from governance.changes.draft import draft
from governance.changes.models import ChangeRequest
from governance.evidence.attach import attach
from governance.gate.deploy import record_deployment
from governance.risk.assess import assess
from governance.risk.models import Assessment, Questionnaire
from monitoring.alerts.receive import receive
from monitoring.signals.ingest import Receipt
from monitoring.signals.models import Source
from stewardship.dossiers.models import Revision
from stewardship.dossiers.revise import revise
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel, Stage
from stewardship.inventory.register import register_model, register_version
from stewardship.signing.mint import token_for

_encoder = msgspec.json.Encoder(decimal_format="number")


def register(world: World, at: datetime, by: str, row: Mapping[str, Any]) -> RegisteredModel:
    """The owner registers a model; it begins as a concept."""
    fields = {name: value for name, value in row.items() if name not in ("slug", "name", "purpose", "family", "region")}
    with world.as_(by, at, "Registered for the inventory") as person:
        model = register_model(
            actor=person,
            family=world.families[row["family"]],
            region=world.regions[row["region"]],
            slug=row["slug"],
            name=row["name"],
            purpose=row["purpose"],
            legal_entity=entity_of(world, row["region"]),
            ruling="model",
            ruling_rationale="Its output is an estimate that people or systems act on.",
            **fields,
        )
    world.models[model.slug] = model
    return model


def judge_risk(world: World, at: datetime, by: str, model: RegisteredModel, answers: Mapping[str, str]) -> Assessment:
    """Somebody answers the questionnaire; the tier follows."""
    questionnaire = Questionnaire.objects.nearest(model.region)
    assert questionnaire is not None  # the rules of the house publish one
    with world.as_(by, at, "Risk assessed") as person:
        found = assess(model=model, questionnaire=questionnaire, answers=answers, actor=person)
    model.refresh_from_db()
    return found


def write_dossier(
    world: World, at: datetime, by: str, model: RegisteredModel, reason: str, edits: Mapping[str, Any] | None = None, **more: Any
) -> Revision:
    """Somebody revises the model's dossier."""
    with world.as_(by, at, reason) as person:
        return revise(model, actor=person, reason=reason, edits=edits, **more)


def move(world: World, at: datetime, by: str, model: RegisteredModel, stages: Iterable[Stage], reason: str) -> None:
    """The model goes through these stages of its life, one after the other."""
    for stage in stages:
        with world.as_(by, at, reason) as person:
            model.move_to(stage, actor=person, reason=reason)


def build(world: World, at: datetime, model: RegisteredModel, by: str = "pipeline", **fields: Any) -> ModelVersion:
    """The pipeline registers a version."""
    with world.as_(by, at) as person:
        return register_version(actor=person, model=model, **fields)


def bring_evidence(
    world: World, at: datetime, version: ModelVersion, files: Iterable[tuple[str, str, str, bytes]], by: str = "pipeline"
) -> None:
    """The pipeline attaches what it measured: (kind, name, media type, bytes) each."""
    for kind, name, media, data in files:
        with world.as_(by, at) as person:
            attach(version=version, kind=kind, data=data, name=name, media_type=media, actor=person)


def ask(world: World, at: datetime, by: str, model: RegisteredModel, *, kind: str = "deployment", **fields: Any) -> ChangeRequest:
    """Somebody drafts a change."""
    with world.as_(by, at) as person:
        return draft(actor=person, kind=kind, model=model, **fields)


def put_forward(world: World, at: datetime, by: str, change: ChangeRequest) -> ChangeRequest:
    """Somebody submits it; the route is frozen and the first people are asked."""
    with world.as_(by, at) as person:
        submit(change, actor=person)
    change.refresh_from_db()
    return change


def answer(world: World, at: datetime, by: str, change: ChangeRequest, outcome: str = "approve", comment: str = "") -> Decision:
    """Somebody signs a decision: one proof of who they are covers their series, each decision consumes a token of its own."""
    change.refresh_from_db()
    with world.as_(by, at, comment) as person:
        token = token_for(world.proofs[by], subject_kind=SUBJECT, subject_id=change.pk, digest=change.content_digest, meaning=outcome)
        decision = decide(
            change,
            actor=person,
            outcome=outcome,
            comment=comment,
            digest=change.content_digest,
            token=token,
            session_key=world.session,
        )
    change.refresh_from_db()
    return decision


def deploy(
    world: World, at: datetime, version: ModelVersion, region: str, environment: str = "production", by: str = "pipeline"
) -> Deployment:
    """The pipeline rolls out what the gate allows."""
    with world.as_(by, at) as person:
        return record_deployment(actor=person, version=version, environment=world.environments[environment], region=world.regions[region])


def report(world: World, at: datetime, facts: list[dict[str, Any]], source: str = "nordhaven-monitoring") -> Receipt:
    """The monitoring service sends what it measured."""
    body = _encoder.encode({"signals": facts})
    with world.as_("pipeline", at) as person:
        return receive(source=Source.objects.get(slug=source), body=body, content_type="application/json", actor=person)


def window(
    model: str, version: str, region: str, metric: str, value: Decimal, n: int, start: datetime, end: datetime, subject: str = ""
) -> dict[str, Any]:
    """One measured span of time in our own format."""
    return {
        "id": f"{model}/{version}/{region}/{metric}/{subject}/{end.isoformat()}",
        "model": model,
        "version": version,
        "environment": "production",
        "region": region,
        "metric": metric,
        "subject": subject,
        "value": value,
        "n": n,
        "start": start,
        "end": end,
    }
