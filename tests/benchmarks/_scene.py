"""A full database: thousands of models, one of them with versions, evidence, changes, signals, alerts and a live deployment."""

from __future__ import annotations

import json
from typing import Any


def populate(models: int, users: int) -> Any:
    """The cast, people with a role on a region, models over all regions. Rows of models only: history would not be read."""
    from django.db.models import QuerySet

    from stewardship.inventory.models import ModelFamily, RegisteredModel
    from stewardship.journal.acting import acting, moment
    from stewardship.people.models import User, system_user
    from stewardship.roles.assign import assign
    from tests.cast import make_cast

    cast = make_cast()
    system, codes = system_user(), list(cast.regions)
    with acting(system, "Benchmark"):
        families = [
            ModelFamily(slug=f"family-{number}", name=f"Family {number}", region=cast.regions[codes[number % len(codes)]])
            for number in range(200)
        ]
        for family in families:
            family.save()
        rows = [
            RegisteredModel(
                slug=f"model-{number}",
                name=f"Model {number}",
                family=families[number % 200],
                region=families[number % 200].region,
                purpose="Benchmark",
                tier=number % 4 + 1,
                stage=("monitoring", "validation", "development")[number % 3],
                registered_at=moment(),
            )
            for number in range(models)
        ]
        QuerySet(RegisteredModel).bulk_create(rows, batch_size=500)
        for number in range(users):
            user = User.objects.create_user(f"user-{number}", f"user-{number}@bank.example", None)
            assign(actor=system, role="responder", user=user, region=cast.regions[codes[number % len(codes)]], rationale="Benchmark")
    return cast


def one_full_model(cast: Any, changes: int = 30) -> Any:
    """tumour-risk: approved and live in Germany, with further changes in review and drafted; its live version."""
    from governance.approvals.submit import submit
    from governance.gate.deploy import record_deployment
    from stewardship.people.models import system_user
    from tests.cast import make_model, make_version
    from tests.governance.change_case import decides, full_draft, policy, route, with_evidence
    from tests.governance.crowded_case import crowded, everybody, waiver

    model = make_model(cast)
    live = make_version(model, "1.0.0")
    with_evidence(live)
    policy(cast)
    route(cast, stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
    change = full_draft(cast, model, live)
    submit(change, actor=cast.users["alice"])
    decides(change, cast.users["bob"])
    record_deployment(actor=system_user(), version=live, environment=cast.environments["production"], region=cast.regions["de"])
    for number in range(changes):
        version = make_version(model, f"1.{number + 1}.0")
        with_evidence(version)
        change = full_draft(cast, model, version)
        if number % 2:
            submit(change, actor=cast.users["alice"])
    everybody(cast)
    version = make_version(model, "2.0.0", committer="Somebody <somebody@example.org>")
    with_evidence(version)
    crowded(cast, model, version)
    waiver(cast, model)
    return live


def what_people_see(cast: Any, live: Any) -> None:
    """One of each kind of thing that has a page: an alert with its escalation, a gap, an action, a notice, a report."""
    from datetime import timedelta

    from django.utils import timezone

    from governance.audits.request import request
    from monitoring.alerts.receive import receive
    from stewardship.actions.open import open_action
    from stewardship.coverage.gaps import open_gap
    from stewardship.dossiers.models import Template
    from stewardship.dossiers.revise import revise
    from stewardship.escalation.models import Path, Step
    from stewardship.journal.acting import acting
    from stewardship.journal.sequence import settle
    from stewardship.notices.models import Notice
    from stewardship.people.models import system_user
    from tests.benchmarks.ingest import body, configure
    from tests.governance.test_risk_assess import make as make_questionnaire
    from tests.permission_world import SECTIONS

    system, now = system_user(), timezone.now()
    with acting(system, "Benchmark"):
        path = Path(slug="alerts", name="Alerts", region=cast.regions["global"], subject_kind="alert")
        path.save()
        for order, role in enumerate(("responder", "risk", "compliance")):
            Step(path=path, order=order, role=cast.roles[role], after_seconds=order * 3600).save()
    source, pipeline = configure(cast)
    receive(source=source, body=body(0, value="0.35", facts=600), content_type="application/json", actor=pipeline)
    for number in range(30):
        label = f"Nobody answers for part {number}"
        open_gap(
            kind="vacancy",
            subject_kind="model",
            subject_id=live.model_id,
            label=label,
            region=cast.regions["de"],
            model=live.model,
            actor=system,
        )
        open_action(
            actor=cast.users["dana"],
            title=f"Look at part {number}",
            owner=cast.users["dana"],
            verifier=cast.users["bob"],
            due_at=now + timedelta(days=number + 1),
            region=cast.regions["de"],
            model=live.model,
        )
    lost = json.loads(body(0, facts=30))
    for number, fact in enumerate(lost["signals"]):
        fact |= {"id": f"lost{number}", "model": "nobody-registered-this"}
    receive(source=source, body=json.dumps(lost).encode(), content_type="application/json", actor=pipeline)
    with acting(system, "Benchmark"):
        template = Template(slug="model-card", name="Model card", region=cast.regions["global"], sections=SECTIONS)
        template.save()
    template.publish(actor=system)
    for number in range(3):
        revise(live.model, actor=cast.users["alice"], reason=f"Revision {number}", edits={"use.text": f"Text {number}"})
    make_questionnaire(system, cast)
    settle()
    request(model=live.model, actor=cast.users["dana"])
    if not Notice.objects.exists():
        raise SystemExit("Nobody was told about the alerts.")
