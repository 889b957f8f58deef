"""A portal at work from which every policy, route, threshold and path is taken: it refuses with reasons, and every page still opens.

Once as people do it, by what ends each of them; and once as raw rows that vanish behind every verb, with all that points at them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.portal.errors import DomainError
from governance.approvals.errors import NoRoute
from governance.approvals.models import Requirement, Route, RouteRule
from governance.approvals.overdue import escalate_overdue
from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest, Status
from governance.gate.ask import Answer, ask
from governance.gate.deploy import record_deployment
from governance.gate.errors import NotAllowed
from governance.policies.models import Policy, PolicyVersion
from monitoring.alerts.models import Alert
from monitoring.alerts.receive import receive
from monitoring.signals.models import Source
from monitoring.thresholds.models import Rule, Track
from stewardship.coverage.models import Gap
from stewardship.escalation.models import Path, Run, Step
from stewardship.inventory.models import Deployment
from stewardship.journal.acting import acting
from stewardship.journal.guards import check_guards, drop_guards, install_guards
from stewardship.people.models import User
from tests.browser.world import World, configuration, full, paths
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, with_evidence
from tests.monitoring.conftest import body, payload, window
from tests.permission_people import saved

KINDS: tuple[type[Model], ...] = (Policy, RouteRule, Rule, Path)


def end_all(system: User) -> None:
    """What an administrator does: retire, switch off, end, and take the steps out of a path."""
    for version in PolicyVersion.objects.exclude(status="retired"):
        version.retire(actor=system, reason="Taken away")
    with acting(system, "Taken away"):
        for route in RouteRule.objects.all():
            route.active = False
            route.save(update_fields=["active"])
        for rule in Rule.objects.all():
            rule.valid_until = timezone.now()
            rule.save(update_fields=["valid_until"])
        for step in Step.objects.all():
            step.delete()


def raze_all(system: User) -> None:
    """What somebody with the database's password could do."""
    connection.check_constraints()  # what is written so far is settled, or PostgreSQL alters no table
    drop_guards()
    for kind in KINDS:
        raze(kind._base_manager.all())
    connection.check_constraints()
    install_guards()
    assert check_guards() == []
    assert not any(kind._base_manager.exists() for kind in (*KINDS, Route, Track, Run))


def raze(rows: QuerySet[Any]) -> None:
    """Delete rows and what cannot be without them; no verb, no history, no journal."""
    keys = list(rows.values_list("pk", flat=True))
    for link in rows.model._meta.get_fields(include_hidden=True):
        if link.auto_created and not link.concrete and (link.one_to_many or link.one_to_one) and link.field.db_constraint:
            pointing = QuerySet(link.related_model).filter(**{f"{link.field.name}__in": keys})
            if link.field.null:
                pointing.update(**{link.field.name: None})
            else:
                raze(pointing)
    QuerySet(rows.model).filter(pk__in=keys)._raw_delete(rows.db)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Portal:
    """A world with everything in it, a change that may be submitted, and a way to ask."""

    world: World
    ready: ChangeRequest
    alertmanager: Source

    def gate(self, label: str) -> Answer:
        return ask(model=self.world.model.slug, version=label, environment="production", region="de", actor=self.world.cast.users["alice"])


@pytest.fixture
def at_work(cast: Cast) -> Portal:
    """Everything works: a change can be submitted, the gate says yes, a breach calls people."""
    world, alice = full(cast), cast.users["alice"]
    third = make_version(world.model, "3.0.0")
    with_evidence(third)
    ready = full_draft(cast, world.model, third)
    source = Source(slug="am", name="Alertmanager", kind="alertmanager", region=cast.regions["eu"], user=cast.users["pipeline"])
    portal = Portal(world, ready, saved(source))
    with transaction.atomic():
        submit(ready, actor=alice)
        assert fresh(ready).status == Status.SUBMITTED
        transaction.set_rollback(True)
    ready.refresh_from_db()
    assert fresh(ready).status == Status.DRAFT
    answer = portal.gate("1.0.0")
    assert (answer.verdict, bool(answer.permit)) == ("allow", True)
    assert Run.objects.filter(subject_id=world.alert.pk).exists()
    return portal


@pytest.fixture(params=[end_all, raze_all], ids=["by verbs", "raw"])
def taken(at_work: Portal, system: User, request: pytest.FixtureRequest) -> Portal:
    """The same portal after policies, routes, thresholds and paths are gone."""
    take: Callable[[User], None] = request.param
    take(system)
    return at_work


def told(refusal: DomainError) -> None:
    """A refusal says why and what to do."""
    assert refusal.message
    assert refusal.remedy


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_submission_decision_and_gate_refuse_with_reasons(
    taken: Portal, cast: Cast, alice: User, bob: User, kate: User, pipeline: User
) -> None:
    with pytest.raises(NoRoute) as refused:
        submit(taken.ready, actor=alice)
    told(refused.value)
    page = signed_in(alice).post(reverse("change_submit", args=[taken.ready.pk]), follow=True)
    assert "No approval route covers" in page.content.decode()
    assert fresh(taken.ready).status == Status.DRAFT
    for person in (bob, kate):  # what was in review keeps the route that was frozen for it, or has none: neither is a yes
        with pytest.raises(DomainError) as refusal:
            decides(fresh(taken.world.change), person)
        told(refusal.value)
    assert fresh(taken.world.change).status == Status.SUBMITTED
    running = Deployment.objects.count()
    for label in ("1.0.0", "1.1.0", "2.0.0", "3.0.0"):
        answer = taken.gate(label)
        assert answer.verdict in {"deny", "undecided"}, label
        assert answer.permit is None
        assert answer.reasons
        assert all(reason["text"] and reason["remedy"] for reason in answer.reasons)
        with pytest.raises(NotAllowed) as refusal:
            record_deployment(
                actor=pipeline,
                version=taken.world.model.versions.get(label=label),
                environment=cast.environments["production"],
                region=cast.regions["fr"],
            )
        told(refusal.value)
    assert any("policy" in reason["text"].lower() for reason in taken.gate("1.0.0").reasons), "the approval alone does not carry it"
    assert Deployment.objects.count() == running


def test_nobody_is_called_and_that_is_said(taken: Portal, alice: User, pipeline: User) -> None:
    asked = list(Requirement.objects.asked().filter(stage__route__change=taken.world.change))
    runs = Run.objects.count()
    receive(source=taken.alertmanager, body=payload("firing-one"), content_type="application/json", actor=pipeline)
    alert = Alert.objects.get(source=taken.alertmanager)
    assert alert.status == "open"
    assert Run.objects.count() == runs
    gap = Gap.objects.open().get(subject_id=alert.pk)
    assert "Nobody is configured to be called" in gap.label
    client = signed_in(alice)
    page = client.get(reverse("alert_detail", args=[alert.pk]))
    assert "Nobody is called: no escalation path is configured here." in page.content.decode()
    assert "Nobody is being called about this" in client.get(reverse("gap_detail", args=[gap.pk])).content.decode()

    # A deadline that is missed.
    assert escalate_overdue(timezone.now() + timedelta(days=60)) == len(asked)
    assert Run.objects.count() == runs
    for requirement in asked:
        assert "Nobody is configured to be called" in Gap.objects.open().get(subject_id=requirement.pk).label


def test_no_measurement_passes_for_good_and_every_page_opens(taken: Portal, alice: User, frank: User, pipeline: User) -> None:
    before = set(Alert.objects.values_list("pk", flat=True))
    source = Source.objects.get(slug="watch")
    receive(source=source, body=body(window(3, 0.99)), content_type="application/json", actor=pipeline)
    assert set(Alert.objects.values_list("pk", flat=True)) == before, "without a threshold nothing can be judged"
    owner, admin = signed_in(alice), signed_in(frank)
    pages = [(owner, address) for address in (*paths(taken.world).values(), *configuration(alice))]
    pages += [(admin, address) for address in configuration(frank)]
    answers = {address: client.get(address).status_code for client, address in pages}
    assert {address: status for address, status in answers.items() if status >= 500} == {}
    assert set(answers.values()) <= {200, 302, 403, 404}
    assert list(answers.values()).count(200) > len(answers) * 3 / 4
    for name in ("inbox", "portfolio", "model_list", "change_list", "alert_list", "run_list", "gap_list", "verdict_list"):
        assert owner.get(reverse(name)).status_code == 200, name
    for name, row in (("model_detail", taken.world.model), ("change_detail", taken.world.change), ("alert_detail", taken.world.alert)):
        assert owner.get(reverse(name, args=[row.pk])).status_code == 200, name
    for alert in Alert.objects.unresolved():
        alert.resolve(actor=alice, outcome="fixed", reason="Looked at")
    there = reverse("model_detail", args=[taken.world.model.pk])
    assert "How it does is not known: no threshold judges what is measured." in owner.get(there).content.decode()
    assert "within its bounds" not in owner.get(f"{there}?tab=monitoring").content.decode()
