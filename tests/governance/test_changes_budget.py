"""What the page of a change costs when everything that it can show is there, and what looking at it leaves alone."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.gate import standing
from governance.gate.deploy import record_deployment
from governance.gate.models import Permit, Standing, Verdict
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User
from tests.cast import Cast, make_version
from tests.governance.change_case import full_draft, policy, route, with_evidence
from tests.governance.crowded_case import crowded, everybody, waiver
from tests.governance.gate_case import ONE, approved

MOST_QUERIES, MOST_BYTES = 20, 60_000


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0", committer="Somebody <somebody@example.org>")
    with_evidence(made)
    return made


def looked(client: Client, url: str) -> str:
    """The page as this person gets it, within what every page may cost."""
    with CaptureQueriesContext(connection) as seen:
        response = client.get(url)
    html = response.content.decode()
    assert response.status_code == 200, html[:400]
    assert len(seen) <= MOST_QUERIES, "\n".join(query["sql"][:160] for query in seen.captured_queries)
    assert len(response.content) <= MOST_BYTES
    return html


def begun(person: User) -> Client:
    client = Client()
    client.force_login(person)
    client.get("/me/")  # the first request of a session renews it, which is no part of a page's price
    return client


def test_three_roles_at_once_a_team_an_absence_and_a_discussion_are_within_the_budget(
    cast: Cast, model: RegisteredModel, version: ModelVersion
) -> None:
    policy(cast)
    everybody(cast)
    change = crowded(cast, model, version)
    for name in ("dana", "charlie", "kate", "alice"):
        client = begun(cast.users[name])
        html = looked(client, change.get_absolute_url())
        for said in ("Which threshold?", "Charlie Chan", "Dana Diaz"):
            assert said in html
        looked(client, change.get_absolute_url())


def test_a_waiver_is_within_the_budget(cast: Cast, model: RegisteredModel) -> None:
    policy(cast)
    everybody(cast)
    change = waiver(cast, model)
    for name in ("erin", "kate", "alice"):
        assert "recall is good enough" in looked(begun(cast.users[name]), change.get_absolute_url())


def shown(html: str) -> str:
    found = re.search(r'data-gate="(\w+)"', html)
    assert found is not None
    return found[1]


def test_looking_computes_nothing_and_signs_nothing(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline: User) -> None:
    change = approved(cast, model, version)
    client, url = begun(cast.users["kate"]), change.get_absolute_url()
    assert shown(looked(client, url)) == "allow"
    record_deployment(actor=pipeline, version=version, environment=cast.environments["production"], region=cast.regions["de"])
    assert shown(looked(client, url)) == "allow", "what a deployment changes is taken into account at once"
    policy(cast, "eu", rules={"any": "false"})
    before = Permit.objects.count(), Standing.objects.get().computed_at
    html = looked(client, url)
    assert shown(html) == "unknown"
    assert "It said “allowed”" in html
    assert (Permit.objects.count(), Standing.objects.get().computed_at) == before


def test_judging_anew_is_one_button(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    change = approved(cast, model, version)
    client, url = begun(cast.users["kate"]), change.get_absolute_url()
    policy(cast, "eu", rules={"any": "false"})
    standing.drop()
    permits = Permit.objects.count()
    assert "Nobody has asked since" in looked(client, url)
    assert client.get(reverse("change_gate", args=[change.pk])).status_code == 405
    response = client.post(reverse("change_gate", args=[change.pk]))
    assert response.status_code == 302
    assert response.headers["Location"] == f"{url}#gate"
    html = looked(client, url)
    assert shown(html) == "deny"
    assert "any is good enough" in html
    assert (Permit.objects.count(), Verdict.objects.count()) == (permits, 0), "nobody asked the gate"


def test_what_is_not_agreed_has_nothing_to_judge(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    policy(cast)
    route(cast, stages=ONE)
    change = full_draft(cast, model, version)
    client = begun(cast.users["alice"])
    assert "data-gate" not in looked(client, change.get_absolute_url())
    assert client.post(reverse("change_gate", args=[change.pk])).status_code == 302
    assert not Standing.objects.exists()
