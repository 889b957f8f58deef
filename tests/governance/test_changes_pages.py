"""The pages of changes: the list, the form, and the review from which people decide without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.approvals.models import Decision
from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest, Status
from governance.evidence.attach import attach
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User, system_user
from stewardship.roles.matrix import set_rights
from stewardship.roles.models import DecisionRight
from tests.cast import PASSWORD, Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence
from tests.governance.test_approvals_overdue import a_path

MOST_QUERIES, MOST_BYTES = 20, 60_000


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


@pytest.fixture
def change(cast: Cast, model: RegisteredModel, version: ModelVersion) -> ChangeRequest:
    policy(cast)
    route(cast)
    made = full_draft(cast, model, version)
    submit(made, actor=cast.users["alice"])
    return fresh(made)


def page(person: User, url: str) -> tuple[Client, str]:
    client = Client()
    client.force_login(person)
    response = client.get(url)
    assert response.status_code == 200, response.content[:400]
    return client, response.content.decode()


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_first_sentence_answers(change: ChangeRequest, bob: User) -> None:
    _client, html = page(bob, change.get_absolute_url())
    said = text(html)
    assert "Waiting for 2 of 2 approvals. Validator has until" in said
    assert "I decide whether 1.1.0 of Tumour risk may go to Production in Germany" in said
    assert "recall is good enough" in said
    assert "Deploy the version before" in said
    assert "Nothing changes: it is never approved because time ran out." in said


def test_the_evidence_leads_to_its_files_and_says_what_the_tests_did(change: ChangeRequest, version: ModelVersion, bob: User) -> None:
    junit = b'<testsuite name="s" tests="2"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>'
    attach(version=version, kind="junit", data=junit, name="junit.xml", media_type="application/xml", actor=system_user())
    client, html = page(bob, change.get_absolute_url())
    links = re.findall(r'href="([^"]+)">(?:metrics\.json|junit\.xml)<', html)
    assert len(links) == 2
    assert client.get(links[0]).status_code == 200
    assert "1 of 2 tests passed" in text(html)
    assert "b" in text(html)


def test_without_sight_of_a_file_its_name_leads_nowhere(cast: Cast, change: ChangeRequest, bob: User) -> None:
    rights = dict(DecisionRight.objects.filter(role=cast.roles["validator"]).values_list("right", "raci"))
    del rights["evidence:artifact:view"]
    set_rights(cast.roles["validator"], rights, actor=system_user())
    _client, html = page(bob, change.get_absolute_url())
    assert "metrics.json" in html
    assert not re.search(r"<a [^>]*>metrics\.json", html)


def test_it_stays_small_and_needs_few_queries(cast: Cast, change: ChangeRequest, bob: User) -> None:
    a_path(cast)
    client, _html = page(bob, change.get_absolute_url())
    for url in (change.get_absolute_url(), reverse("change_list"), reverse("change_list") + "?tab=all"):
        with CaptureQueriesContext(connection) as seen:
            response = client.get(url)
        assert len(response.content) < MOST_BYTES
        assert len(seen) <= MOST_QUERIES, [query["sql"] for query in seen.captured_queries]


def test_an_approver_decides_from_this_page_alone(change: ChangeRequest, bob: User, kate: User) -> None:
    client, html = page(bob, change.get_absolute_url())
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', html)
    assert digest is not None
    form = {"digest": digest[1], "comment": "Fine", "method": "password", "credential": PASSWORD, "outcome": "approve"}
    response = client.post(change.get_absolute_url(), form | {"credential": "wrong"})
    assert response.status_code == 422
    assert Decision.objects.count() == 0
    response = client.post(change.get_absolute_url(), form)
    assert response.status_code == 302
    assert Decision.objects.get().person == bob
    html = client.get(change.get_absolute_url()).content.decode()
    assert "Signed by Bob Berger" in text(html)
    assert "You have decided in this stage" in text(html) or "it waits for" in text(html)


def test_a_stale_form_is_told_and_nothing_is_signed(change: ChangeRequest, bob: User, alice: User) -> None:
    client, _html = page(bob, change.get_absolute_url())
    digest = fresh(change).content_digest
    fresh(change).edit(actor=alice, rationale="Another reason")
    form = {"digest": digest, "method": "password", "credential": PASSWORD, "outcome": "approve"}
    response = client.post(change.get_absolute_url(), form)
    assert response.status_code == 422
    assert "edited since you opened it" in text(response.content.decode())
    assert Decision.objects.count() == 0
    said = text(client.get(change.get_absolute_url()).content.decode())
    assert "Another reason" in said


def test_what_is_new_since_the_last_look(change: ChangeRequest, bob: User, kate: User, alice: User) -> None:
    client, html = page(kate, change.get_absolute_url())
    assert "New since your last look" not in html
    decides(change, bob, comment="I checked the numbers")
    fresh(change).edit(actor=alice, rationale="A better reason")
    said = text(client.get(change.get_absolute_url()).content.decode())
    assert "New since your last look" in said
    assert "I checked the numbers" in said
    assert "New since your last look" not in client.get(change.get_absolute_url()).content.decode()


def test_whoever_may_not_decide_reads_why(change: ChangeRequest, kate: User, alice: User) -> None:
    _client, html = page(kate, change.get_absolute_url())
    assert "You are not asked in this stage; it waits for: validator." in text(html)
    assert 'name="outcome"' not in html
    _client, html = page(alice, change.get_absolute_url())
    assert 'name="outcome"' not in html


def test_what_may_not_be_seen_is_not_there(change: ChangeRequest, gita: User, charlie: User) -> None:
    for person in (gita, charlie):
        client = Client()
        client.force_login(person)
        assert client.get(change.get_absolute_url()).status_code == 404
        assert client.post(change.get_absolute_url(), {"outcome": "approve"}).status_code == 404


def test_the_list_has_what_waits_for_me_first(change: ChangeRequest, bob: User, kate: User, alice: User) -> None:
    _client, html = page(bob, reverse("change_list"))
    assert change.reference in html
    _client, html = page(kate, reverse("change_list"))
    assert change.reference not in html  # her stage has not begun
    _client, html = page(alice, reverse("change_list") + "?tab=mine")
    assert change.reference in html


def test_a_change_is_opened_submitted_and_withdrawn_on_pages(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User
) -> None:
    policy(cast)
    url = reverse("change_new", args=[model.pk])
    client, html = page(alice, url)
    assert "1.1.0" in html
    form = {
        "kind": "deployment", "version": version.pk, "environment": cast.environments["production"].pk, "region": cast.regions["de"].pk,
        "rationale": "Better", "rollout_plan": "At once", "rollback_trigger": "recall < 0.85", "rollback_steps": "Back", "watch_days": 7,
        "tradeoffs": "Slower by 3 ms\nMore memory",
    }  # fmt: skip
    response = client.post(url, form)
    assert response.status_code == 302, text(response.content.decode())[:600]
    change = ChangeRequest.objects.get()
    assert change.tradeoffs == [{"text": "Slower by 3 ms"}, {"text": "More memory"}]
    assert change.owner == alice
    said = text(client.post(reverse("change_submit", args=[change.pk]), follow=True).content.decode())
    assert "No approval route" in said
    route(cast)
    said = text(client.post(reverse("change_submit", args=[change.pk]), follow=True).content.decode())
    assert "Submitted. Those who must agree have been told." in said
    assert client.get(reverse("change_edit", args=[change.pk])).status_code == 200
    response = client.post(reverse("change_edit", args=[change.pk]), form | {"rationale": "Much better", "title": ""})
    assert response.status_code == 302, text(response.content.decode())[:600]
    assert fresh(change).revision == 2
    response = client.post(reverse("change_withdraw", args=[change.pk]), {"reason": "Not needed"})
    assert response.status_code == 302
    assert fresh(change).status == Status.WITHDRAWN
    assert "nothing is being decided" in text(client.get(change.get_absolute_url()).content.decode())


def test_a_draft_says_what_is_missing(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    change = full_draft(cast, model, version, rationale="", rollback=None)
    _client, html = page(alice, change.get_absolute_url())
    assert "3 things are missing before this can be submitted." in text(html)


def test_admin_refuses_stages_that_cannot_be_read(cast: Cast, frank: User) -> None:
    frank.is_staff = True
    client = Client()
    client.force_login(frank)
    url = reverse("admin:governance_routerule_add")
    form = {
        "region": cast.regions["eu"].pk, "kind": "deployment", "name": "R", "when": "model.tier <", "priority": 0, "human": "on",
        "stages": '[{"name": "A", "requirements": [{"role": "nobody-knows"}]}]', "active": "on", "reason": "Needed",
    }  # fmt: skip
    html = text(client.post(url, form).content.decode())
    assert "column" in html
    assert "There is no role nobody-knows." in html
    html = text(client.post(url, form | {"when": "", "stages": '[{"name": "A"}]'}).content.decode())
    assert "stages[0].requirements" in html
    response = client.post(url, form | {"when": "model.tier <= 2", "stages": '[{"name": "A", "requirements": [{"role": "validator"}]}]'})
    assert response.status_code == 302, text(response.content.decode())[:800]
