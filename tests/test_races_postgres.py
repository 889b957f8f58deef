"""Across slices, in real threads on PostgreSQL: whoever comes second is told, and never half of each is written.

Two deciders, and a decision against an edit: governance/test_approvals_race.py. A timer against an acknowledgement:
stewardship/test_calls_races.py. Two acknowledgements: monitoring/test_signals_race.py.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection

from config.portal.errors import DomainError
from governance.approvals.models import Decision
from governance.changes.models import Status
from governance.gate.deploy import record_deployment
from stewardship.dossiers import revise as revising
from stewardship.dossiers.models import Dossier, Revision, Template
from stewardship.inventory.models import Deployment
from stewardship.journal.acting import acting
from stewardship.people.models import system_user
from tests.cast import Cast, make_cast
from tests.governance.change_case import decides, fresh
from tests.governance.test_approvals_race import at_once, by, in_review

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def crowd() -> Cast:
    """The cast, in a database whose transactions really commit."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite has one writer")
    return make_cast()


def test_a_withdrawal_against_a_decision(crowd: Cast) -> None:
    change = in_review(crowd)
    decided, withdrawn = at_once(
        by(change, crowd.users["bob"], "approve"),
        lambda: fresh(change).withdraw(actor=crowd.users["alice"], reason="Not needed"),
    )
    after = fresh(change)
    if after.status == Status.WITHDRAWN and isinstance(decided, DomainError):
        assert not Decision.objects.exists()
    else:
        # The decision came first; an approved change may be withdrawn after it, or not at all.
        assert isinstance(decided, Decision), (decided, withdrawn)
        assert after.status in {Status.APPROVED, Status.WITHDRAWN}
        assert Decision.objects.count() == 1


def test_two_deployments_of_one_approval(crowd: Cast) -> None:
    change = in_review(crowd)
    decides(change, crowd.users["bob"])
    place = {"version": change.version, "environment": crowd.environments["production"], "region": crowd.regions["de"]}
    results = at_once(*(lambda: record_deployment(actor=crowd.users["pipeline"], **place),) * 2)
    made = [result for result in results if isinstance(result, Deployment)]
    assert made, results
    assert all(isinstance(result, Deployment | DomainError) for result in results), results
    assert Deployment.objects.filter(ended_at__isnull=True).count() == 1
    assert {deployment.pk for deployment in made} == {Deployment.objects.get().pk}
    assert fresh(change).status == Status.IMPLEMENTED


def test_a_revision_of_the_dossier_against_a_deployment(crowd: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each needs the dossier's row and the version's; neither waits for the other in a circle."""
    change, system = in_review(crowd), system_user()
    blocks = [
        {"key": "places", "title": "Where it runs", "type": "list", "provider": "deployments"},
        {"key": "intent", "title": "Intent", "type": "text"},
    ]
    sections = [{"key": "use", "title": "Use", "blocks": blocks}]
    template = Template(slug="card", name="Card", region=crowd.regions["global"], sections=sections)
    with acting(system, "A template"):
        template.save()
    template.publish(actor=system)
    decides(change, crowd.users["bob"])
    honest = revising._content

    def slowly(*args: Any) -> Any:
        time.sleep(0.7)  # holding the dossier, and not yet the version
        return honest(*args)

    monkeypatch.setattr(revising, "_content", slowly)
    place = {"version": change.version, "environment": crowd.environments["production"], "region": crowd.regions["de"]}
    revised, recorded = at_once(
        lambda: revising.revise(change.model, actor=system, reason="Said", edits={"use.intent": "Helps"}, version=change.version),
        lambda: record_deployment(actor=crowd.users["pipeline"], **place),
    )
    assert isinstance(revised, Revision), revised
    assert isinstance(recorded, Deployment), recorded
    newest = Dossier.objects.get(model=change.model).revisions.latest("number")
    assert newest.content["blocks"]["use.places"]["value"] == ["1.1.0 in Production, Germany"]
