"""What the permission table looks at: one of everything in three places, and a person of every kind.

For whoever works in Germany, `de` is their own region, `fr` its sibling, `jp` foreign. Every row that belongs to a place carries
that place's mark in a text people can read, so that a page which shows a mark out of somebody's sight is found whatever it is.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from governance.approvals.models import RouteRule
from governance.approvals.submit import submit
from governance.audits.models import Report
from governance.changes.draft import draft
from governance.evidence.attach import attach
from governance.gate.ask import ask
from governance.policies.models import Policy, PolicyVersion, Rule, Waiver
from governance.risk.models import Assessment, Questionnaire
from monitoring.alerts.models import Alert
from monitoring.signals.models import Batch, Metric, Quarantined, Series, Source, Window
from monitoring.signals.models import Verdict as SourceVerdict
from monitoring.thresholds.models import Override, Track
from monitoring.thresholds.models import Rule as Threshold
from stewardship.actions.open import open_action
from stewardship.coverage.gaps import open_gap
from stewardship.documents.blobs import store
from stewardship.documents.jobs import enqueue
from stewardship.dossiers.models import Template
from stewardship.dossiers.revise import revise
from stewardship.escalation.models import Path, Step
from stewardship.escalation.start import start
from stewardship.frameworks.models import Applicability, Clause, Framework
from stewardship.inventory.deploy import record
from stewardship.inventory.models import (
    DataDomain,
    ModelFamily,
    Project,
    RegisteredModel,
)
from stewardship.inventory.register import register_model, register_version
from stewardship.journal.acting import acting
from stewardship.notices.send import send
from stewardship.people.models import Absence, Delegation, Membership, Team, User, system_user
from stewardship.people.tokens import AccessToken
from stewardship.regions.models import Bound, LegalEntity, Setting, WorkingCalendar
from stewardship.roles.assign import assign
from stewardship.roles.models import Role
from stewardship.threads.comment import comment
from tests.cast import PASSWORD, Cast
from tests.governance.change_case import PLAN, decides, metrics
from tests.permission_people import everybody, saved
from tests.permission_stock import MARKS, PLACES, World, take_stock

SECTIONS = [
    {
        "key": "use",
        "title": "Intended use",
        "mandatory": True,
        "stale_after_days": 90,
        "blocks": [{"key": "text", "title": "Text", "type": "text"}],
    }
]
OPTIONS = [{"value": "low", "label": "Low", "points": 1}, {"value": "high", "label": "High", "points": 3}]
QUESTIONS = [{"key": "usage", "text": "Who relies on it?", "weight": 10, "options": OPTIONS}]
BANDS = [{"at_least": 2, "tier": 1}, {"at_least": 0, "tier": 3}]


def build(cast: Cast) -> World:
    """Everything, everywhere, and everybody."""
    world = begin(cast)
    for place in PLACES:
        furnish(world, place)
    take_stock(world)
    return world


def begin(cast: Cast) -> World:
    """Everybody, and what belongs to no place."""
    world = World(cast)
    with acting(system_user(), "The world"):
        world.people, world.clients = everybody(cast)
        _everywhere(world)
    return world


def furnish(world: World, place: str) -> None:
    """Everything that one place can have; `take_stock` afterwards makes it findable."""
    with acting(system_user(), "The world"):
        for part in (_inventory, _rules, _people_of, _work, _monitoring, _change):
            part(world, place)


def _everywhere(world: World) -> None:
    """What belongs to no region, or to the root."""
    cast = world.cast
    framework = saved(Framework(slug="a-law", name="A law"))
    saved(Metric(slug="drift", name="Drift", unit="", direction="higher_is_worse", formula="distance"))
    saved(Bound(parameter="min_sample", combine="max", low=Decimal(1), high=Decimal(1000)))
    saved(DataDomain(slug="claims", name="Claims"))
    saved(Clause(framework=framework, ref="1", title="Be fair"))
    path = saved(Path(slug="gaps", name="Gaps", region=cast.regions["global"], subject_kind="approval"))
    saved(Step(path=path, order=1, role=cast.roles["responder"], scope="model", after_seconds=0))


def _inventory(world: World, place: str) -> None:
    cast, system, mark = world.cast, system_user(), MARKS[place]
    region = cast.regions[place]
    saved(WorkingCalendar(region=region, zone="UTC", week={"mon": [["09:00", "17:00"]]}))
    saved(LegalEntity(name=f"{mark} company", region=region))
    saved(Setting(region=region, parameter="min_sample", value=50, valid_from=timezone.now(), number=1))
    project = saved(Project(slug=f"{mark}-project", name=f"{mark} project", region=region))
    family = saved(ModelFamily(slug=f"{mark}-family", name=f"{mark} family", region=region, project=project, purpose="Helps"))
    model = register_model(actor=system, family=family, region=region, slug=f"{mark}-model", name=f"{mark} model", purpose="Estimates")
    key = hashlib.sha256(mark.encode()).hexdigest()
    version = register_version(actor=system, model=model, label=f"{mark}-1", digest=key, code_revision="4f2a9c1")
    record(actor=system, version=version, environment=cast.environments["staging"], region=region)
    if place != PLACES[0]:  # of a family at home, in this region
        at_home = ModelFamily.objects.get(slug=f"{MARKS[PLACES[0]]}-family")
        register_model(actor=system, family=at_home, region=region, slug=f"{mark}-twin", name=f"{mark} twin", purpose="Estimates")
    saved(Applicability(framework=Framework.objects.get(), region=region, valid_from=date(2026, 1, 1)))
    attach(
        version=version, kind="metrics", data=metrics("0.95", f"0.9{PLACES.index(place)}"), name=f"{mark}.json",
        media_type="application/json", actor=system,
    )  # fmt: skip


def _rules(world: World, place: str) -> None:
    """What is configured for a region: policy, route, threshold, path, template, questionnaire."""
    cast, system, mark = world.cast, system_user(), MARKS[place]
    region = cast.regions[place]
    policy = saved(Policy(slug=f"{mark}-policy", name=f"{mark} policy", region=region))
    edition = saved(PolicyVersion(policy=policy, number=1))
    saved(Rule(version=edition, key="recall", title=f"{mark} recall", expression="evidence.metrics.recall.low >= 0.85", waivable=True))
    edition.publish(actor=system, reason="It holds")
    stages = [{"name": f"{mark} review", "requirements": [{"role": "validator", "within_minutes": 480}]}]
    saved(RouteRule(region=region, kind="deployment", name=f"{mark} route", stages=stages))
    saved(
        Threshold(
            slug=f"{mark}-drift",
            name=f"{mark} drift",
            region=region,
            metric=Metric.objects.get(),
            direction="higher_is_worse",
            levels={"observe": Decimal("0.1"), "investigate": Decimal("0.2"), "act": Decimal("0.3")},
            next_actions={"act": "Ask for a rollback."},
            valid_from=timezone.now() - timedelta(days=365),
        )
    )
    path = saved(Path(slug=f"{mark}-path", name=f"{mark} path", region=region, subject_kind="alert"))
    saved(Step(path=path, order=1, role=cast.roles["responder"], scope="model", after_seconds=0))
    template = saved(Template(slug="card", name=f"{mark} card", region=region, sections=SECTIONS))
    template.publish(actor=system)
    questionnaire = saved(
        Questionnaire(slug=f"{mark}-tiering", name=f"{mark} tiering", region=region, questions=QUESTIONS, bands=BANDS, floors=[])
    )
    questionnaire.publish(actor=system)


def _people_of(world: World, place: str) -> None:
    """A person of the region, who owns what nobody of the table owns."""
    cast, system, mark = world.cast, system_user(), MARKS[place]
    now = timezone.now()
    with acting(system, "The world"):
        person = User.objects.create_user(
            f"{mark}-person", f"{mark}@bank.example", PASSWORD, full_name=f"{mark} person", home_region=cast.regions[place]
        )
    world.people[f"person {place}"] = person
    team = saved(Team(slug=f"{mark}-team", name=f"{mark} team", region=cast.regions[place]))
    saved(Membership(team=team, user=person, starts=now))
    saved(Absence(user=person, starts=now + timedelta(days=10), ends=now + timedelta(days=12)))
    saved(Delegation(delegator=person, delegate=cast.users["erin"], starts=now + timedelta(days=10), ends=now + timedelta(days=12)))
    AccessToken.issue(user=person, name=f"{mark} token", scopes=["read"], days=30, actor=person)
    assign(actor=system, role=cast.roles["responder"], user=person, model=_model(place), rationale="The world")
    onlooker = Role.objects.get(slug="onlooker")
    assign(actor=system, role=onlooker, user=person, family=_model(place).family, rationale="The world")
    assign(actor=system, role=onlooker, user=person, region=cast.regions[place], rationale="The world")


def _model(place: str) -> RegisteredModel:
    found: RegisteredModel = RegisteredModel.objects.get(slug=f"{MARKS[place]}-model")
    return found


def _work(world: World, place: str) -> None:
    """What people do about a model: dossier, risk, threads, actions, gaps, files, notices, reports."""
    cast, system, mark = world.cast, system_user(), MARKS[place]
    region, model, person = cast.regions[place], _model(place), world.people[f"person {place}"]
    revise(model, actor=system, reason="Begun", edits={"use.text": f"{mark} is used with care"})
    questionnaire = Questionnaire.objects.get(slug=f"{mark}-tiering")
    saved(
        Assessment(
            model=model, questionnaire=questionnaire, answers={"usage": "low"}, asked={}, parts=[], score=Decimal(1), computed_tier=3,
            tier=3, rationale=f"{mark} is small",
        )
    )  # fmt: skip
    comment(actor=system, subject_kind="model", subject_id=model.pk, model=model, region=region, text=f"{mark} comment", link="/")
    open_action(actor=system, title=f"{mark} action", owner=person, due_at=timezone.now() + timedelta(days=3), region=region, model=model)
    open_gap(
        kind="no_accountable", subject_kind="model", subject_id=model.pk, label=f"{mark} gap", region=region, model=model, actor=system
    )
    store(f"{mark} file".encode(), name=f"{mark}.txt", media_type="text/plain", actor=person)
    job = enqueue("audits:report", {}, actor=person, key=f"{mark}-job")
    send(cause_kind="change", cause_id=uuid4(), step=mark, recipients=[person], subject=f"{mark} notice", body=mark, link="/")
    now = timezone.now()
    saved(Report(model=model, as_of=now, size=1, requested_by=person, job=job, problem=f"{mark} report"))
    file = store(f"%PDF-1.7 {mark}".encode(), name=f"{mark}.pdf", media_type="application/pdf", actor=system)
    digest = hashlib.sha256(mark.encode()).hexdigest()
    saved(
        Report(
            model=model, as_of=now - timedelta(days=1), size=1, requested_by=person, status="ready", blob=file, content_sha256=digest,
            manifest_sha256=digest, rows=1,
        )
    )  # fmt: skip
    saved(
        Waiver(
            model=model, region=region, rule=f"{mark}-policy/recall", compensating_control=f"{mark} control", granted_at=now,
            expires_at=now + timedelta(days=30),
        )
    )  # fmt: skip


def _monitoring(world: World, place: str) -> None:
    """A source with a batch, a series with a window, something in quarantine, an alert with its escalation."""
    cast, system, mark = world.cast, system_user(), MARKS[place]
    region, model, now = cast.regions[place], _model(place), timezone.now()
    source = saved(Source(slug=f"{mark}-watch", name=f"{mark} watch", kind="native", region=region, user=world.people["pipeline"]))
    batch = saved(
        Batch(
            source=source, sha256=hashlib.sha256(mark.encode()).hexdigest(), size=3, content_type="application/json", received=1,
            accepted=1, duplicates=0, quarantined=0,
        )
    )  # fmt: skip
    series = Series.objects.create(
        key=mark, model=model, region=region, metric=Metric.objects.get(), method="psi", subject=mark,
        direction="higher_is_worse", unit="", created_at=now,
    )  # fmt: skip
    Window.objects.create(
        series=series, source=source, batch=batch, external_id=mark, start=now - timedelta(hours=1), end=now, value=Decimal("0.1"),
        received_at=now,
    )  # fmt: skip
    SourceVerdict.objects.create(
        source=source, batch=batch, external_id=mark, key=mark, model=model, region=region, name=f"{mark} latency", firing=True,
        level="act", start=now, end=now, received_at=now,
    )  # fmt: skip
    rule = Threshold.objects.get(slug=f"{mark}-drift")
    Track.objects.create(series=series, rule=rule)
    saved(Override(rule=rule, region=region, parameter="act", value=Decimal("0.25"), rationale=f"{mark} is careful", valid_from=now))
    saved(
        Quarantined(
            source=source, batch=batch, external_id=mark, fact={"model": mark, "position": 0}, field="model", problem=f"{mark} is no model",
            received_at=now,
        )
    )  # fmt: skip
    alert = saved(
        Alert(
            kind="external", cause=mark, model=model, region=region, source=source, level="investigate", title=f"{mark} alert",
            began_at=now, opened_at=now, next_action="Look at it.", context={"name": mark, "subject": mark, "severity": "warning"},
        )
    )  # fmt: skip
    start(subject_kind="alert", subject_id=alert.pk, label=f"{mark} alert", level="", model=model, region=region, actor=system)
    _breaches(rule, series, mark)


def _breaches(rule: Threshold, series: Series, mark: str) -> None:
    """One that was judged, and the next of the same series."""
    began = timezone.now() - timedelta(days=2)
    fields: dict[str, Any] = {
        "kind": "threshold", "cause": f"{mark} drift", "model": series.model, "region": series.region, "series": series, "rule": rule,
        "level": "act", "title": f"{mark} drift is high", "began_at": began, "opened_at": began,
        "context": {"value": Decimal("0.4"), "bound": Decimal("0.3"), "node": mark, "n": 50, "window": {"end": began.isoformat()}},
    }  # fmt: skip
    saved(Alert(**fields, status="resolved", resolution="fixed", resolution_reason=f"{mark} was seen to", resolved_at=began))
    saved(Alert(**fields, episode=2))


def _change(world: World, place: str) -> None:
    """A draft, a change that was agreed to, one that was rejected and one in review; what the gate says of the first two."""
    cast, system, mark = world.cast, system_user(), MARKS[place]
    model = _model(place)
    version = model.versions.get()
    # Recorded in staging; what is asked for is production.
    fields: dict[str, Any] = {
        "environment": cast.environments["production"],
        "rationale": f"{mark} misses fewer.",
        "rollout_plan": "All at once.",
        "rollback": PLAN,
    }
    validator = world.people["yuki" if place == "jp" else "bob"]
    for title, environment, outcome in (("refused", "staging", "reject"), ("waiting", "staging", ""), ("change", "production", "approve")):
        here = fields | {"environment": cast.environments[environment]}
        change = draft(actor=system, kind="deployment", model=model, version=version, title=f"{mark} {title}", **here)
        submit(change, actor=system)
        if outcome:
            decides(change, validator, outcome, comment=f"{mark} is looked at")
            ask(model=model.slug, version=version.label, environment=environment, region=place, actor=system)
    draft(actor=system, kind="deployment", model=model, version=version, title=f"{mark} draft", **fields)
