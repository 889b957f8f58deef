"""A model's page: the answer first, nothing green that is not known, only what the reader may see and do."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.portal.chips import Chip
from governance.approvals.submit import submit
from governance.evidence.models import Artifact
from governance.gate.ask import ask
from governance.gate.models import Standing
from governance.portfolio import cockpit, happened
from monitoring.alerts.receive import receive
from monitoring.signals.models import Source
from monitoring.thresholds.models import Rule
from stewardship.inventory.deploy import end
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.inventory.register import digest_of
from stewardship.journal.acting import acting
from stewardship.journal.sequence import settle
from stewardship.people.models import User
from tests.cast import Cast, make_family, make_model, make_version
from tests.governance.audit_case import story
from tests.governance.change_case import full_draft, metrics, with_evidence

pytestmark = pytest.mark.django_db
MOST_QUERIES, MOST_BYTES = 20, 60_000
TABS = ("overview", "dossier", "changes", "monitoring", "people", "history")


@pytest.fixture
def told(cast: Cast) -> RegisteredModel:
    """A model with a whole story."""
    found = story(cast)
    settle()
    return found


def page(person: User, url: str, status: int = 200) -> str:
    """What this person gets, within the budgets of every page."""
    client = Client()
    client.force_login(person)
    client.get("/me/")  # the first request of a session renews it, which is no part of a page's price
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == status, response.content[:400]
    assert len(queries) <= MOST_QUERIES, "\n".join(query["sql"][:150] for query in queries)
    assert len(response.content) <= MOST_BYTES
    return response.content.decode()


def text(html: str) -> str:
    """Only the words."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def address(model: RegisteredModel, tab: str = "overview") -> str:
    return f"{reverse('model_detail', args=[model.pk])}?tab={tab}"


def test_the_answer_stands_first(told: RegisteredModel, alice: User) -> None:
    said = text(page(alice, address(told)))
    assert "1.0.0 runs in Germany (Production), started just now." in said
    assert "Nothing waits for a decision." in said
    assert "1 series is beyond a bound." in said[: said.index("Where it runs")]
    assert "Tier 2" in said
    assert "Alice Adler" in said


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_within_the_budgets_for_every_reader(told: RegisteredModel, cast: Cast, tab: str) -> None:
    for name in ("alice", "dana", "erin"):
        page(cast.users[name], address(told, tab))


def test_what_nobody_may_see_is_not_there(told: RegisteredModel, gita: User, charlie: User, foreign_model: RegisteredModel) -> None:
    for person in (gita, charlie):
        page(person, address(told), status=404)
    page(gita, address(foreign_model))


def test_a_family_leads_to_its_page_only_where_that_may_be_seen(told: RegisteredModel, cast: Cast, alice: User) -> None:
    abroad = make_model(cast, "abroad", family=make_family(cast, "family-of-japan", "jp"))
    for model, link in ((told, True), (abroad, False)):
        html = page(alice, address(model))
        assert model.family.name in html
        assert (reverse("family_detail", args=[model.family_id]) in html) is link


def test_a_change_in_review_is_named_with_those_it_waits_for(told: RegisteredModel, cast: Cast, alice: User) -> None:
    version = make_version(told, "1.2.0")
    with_evidence(version)
    change = full_draft(cast, told, version)
    submit(change, actor=alice)
    said = text(page(alice, address(told)))
    assert f"{change.reference} waits for: validator" in said


def test_a_model_of_which_nothing_is_known_is_never_green(cast: Cast, alice: User) -> None:
    model = make_model(cast)
    html = page(alice, address(model))
    said = text(html)
    assert "It runs nowhere. Nothing waits for a decision. How it does is not known: nothing is measured." in said
    assert "unknown-block" in html
    assert 'class="chip good"' not in html[: html.index("Where it runs")]


def test_actions_are_offered_by_right(told: RegisteredModel, alice: User, erin: User) -> None:
    for person, offered in ((alice, True), (erin, False)):
        html = page(person, address(told))
        for name in ("change_new", "version_new"):
            assert (reverse(name, args=[told.pk]) in html) is offered


def test_an_answer_of_the_gate_past_its_time_is_not_known_any_more(told: RegisteredModel, alice: User) -> None:
    ask(model=told.slug, version="1.0.0", environment="production", region="de", actor=alice)
    now = timezone.now()

    def chip(at: datetime) -> Chip:
        return next(place for place in cockpit.places(alice, told, at) if place.deployment and place.version.label == "1.0.0").chip

    assert chip(now).tone == "good"
    late = chip(Standing.objects.get(version__label="1.0.0").valid_until)
    assert (late.tone, str(late)) == ("unknown", "was allowed")
    # Facts changed since, although its time has not passed: the gate would not answer from it either.
    with_evidence(told.versions.get(label="1.0.0"), data=metrics("0.5", "0.4"))
    assert chip(now).tone == "unknown"
    ask(model=told.slug, version="1.0.0", environment="production", region="de", actor=alice)
    assert chip(timezone.now()).tone == "act"
    Standing.objects.update(verdict="allow")
    assert chip(timezone.now()).tone == "unknown", "a yes that was written past the gate is none"
    Standing.objects.all().delete()
    assert chip(now).tone == "unknown"


def test_the_history_tells_who_did_what_newest_first(told: RegisteredModel, alice: User) -> None:
    html = page(alice, address(told, "history"))
    said = text(html)
    for line in ("Bob Berger signed a decision on", "Alice Adler drafted", "recorded a deployment of 1.0.0", "registered version 1.1.0"):
        assert line in said
    assert said.index("registered version 1.1.0") < said.index("registered version 1.0.0")
    decided = re.search(r'href="(/history/governance.decision/[^"]+)"', html)
    assert decided is not None
    page(alice, decided[1])


def test_the_history_by_kind_and_in_stretches(told: RegisteredModel, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    found = happened.happened(alice, told, kind="signature")
    assert {item.kind for item in found.items} == {"signature"}
    assert len(found.items) == 3
    monkeypatch.setattr(happened, "PER_PAGE", 2)
    first = happened.happened(alice, told)
    assert first.older is not None
    second = happened.happened(alice, told, before=first.older)
    assert not {item.url + str(item.at) for item in first.items} & {item.url + str(item.at) for item in second.items}
    assert "before=" in page(alice, address(told, "history"))
    page(alice, address(told, "history") + "&before=x", status=400)


def test_the_history_holds_nothing_of_another_model(told: RegisteredModel, foreign_model: RegisteredModel, gita: User) -> None:
    settle()
    found = happened.happened(gita, foreign_model)
    assert [str(item.verb) for item in found.items] == ["registered"]


def test_a_version_is_registered_by_hand(told: RegisteredModel, alice: User, bob: User) -> None:
    client = Client()
    client.force_login(alice)
    url = reverse("version_new", args=[told.pk])
    sent = {"label": "2.0.0", "digest": "sha256:" + digest_of(b"two"), "code_revision": "abc"}
    answer = client.post(url, sent)
    version = ModelVersion.objects.get(label="2.0.0")
    assert answer["Location"] == reverse("version_detail", args=[version.pk])
    assert version.digest == digest_of(b"two")
    again = client.post(url, sent)
    assert "Choose a label that is not taken." in again.content.decode()
    wrong = client.post(url, {"label": "2.0.1", "digest": "xyz"}).content.decode()
    assert "This is not a SHA-256 digest." in wrong
    page(bob, url, status=404)


def test_evidence_is_attached_on_the_page_and_read(told: RegisteredModel, alice: User, erin: User) -> None:
    version = make_version(told, "2.0.0")
    url, there = reverse("evidence_new", args=[version.pk]), reverse("version_detail", args=[version.pk])
    client = Client()
    client.force_login(alice)
    answer = client.post(url, {"kind": "metrics", "file": SimpleUploadedFile("m.json", metrics(), "application/json")}, follow=True)
    assert answer.redirect_chain[0][0] == there
    assert "Attached and read." in answer.content.decode()
    assert "recall" in text(page(alice, there))
    client.post(url, {"kind": "metrics", "file": SimpleUploadedFile("m.json", b"{", "application/json")})
    assert "counts as not known" in client.get(there).content.decode()
    client.post(url, {"kind": "notes", "file": SimpleUploadedFile("n.txt", b"word", "text/plain")})
    assert Artifact.objects.filter(version=version).count() == 3
    refused = client.post(url, {"kind": "notes", "file": SimpleUploadedFile("n.txt", b"x"), "digest": "0" * 64})
    assert "The digest of what arrived is" in refused.content.decode()
    page(erin, url, status=404)


def test_a_version_says_how_it_was_made_and_where_it_may_run(told: RegisteredModel, alice: User, erin: User) -> None:
    version = told.versions.get(label="1.0.0")
    said = text(page(alice, reverse("version_detail", args=[version.pk])))
    assert version.digest in said
    assert "Ask to deploy it" in said
    assert "Live" in said
    assert "Ask to deploy it" not in text(page(erin, reverse("version_detail", args=[version.pk])))


def test_words_for_how_it_does() -> None:
    now = timezone.now()

    def said(**counts: int) -> str:
        return cockpit.Health(alerts=[], **({"measured": 4, "judged": 4, "beyond": 0, "unknown": 0} | counts)).sentence(now)

    assert said(measured=0, judged=0) == "How it does is not known: nothing is measured."
    assert said(judged=0) == "How it does is not known: no threshold judges what is measured."
    assert said(unknown=1) == "How it does is not fully known: 1 of 4 series has no fresh data."
    assert said(beyond=2) == "2 series are beyond a bound."
    assert said() == "Everything that is judged (4 series) is within its bounds."
    assert not cockpit.Health([], 4, 4, 0, 1).is_known
    assert cockpit.Health([], 4, 4, 0, 0).chip.tone == "good"
    assert cockpit.Health([], 4, 4, 1, 1).chip.tone == "watch"


def test_what_was_replaced_is_judged_no_more(told: RegisteredModel, alice: User, system: User) -> None:
    before = cockpit.health(alice, told, timezone.now())
    now = timezone.now()
    windows = [
        {
            "id": f"{version} {place}", "model": told.slug, "version": version, "metric": "drift", "method": "psi", "value": 0.15, "n": 60,
            "start": (now - timedelta(hours=2)).isoformat(), "end": (now - timedelta(hours=1)).isoformat(), **place,
        }
        for version in ("1.0.0", "1.1.0")
        for place in ({"region": "de", "environment": "production"}, {"region": "de"}, {"region": "fr", "environment": "production"})
    ]  # fmt: skip
    source = Source.objects.get()
    receive(source=source, body=json.dumps({"signals": windows}).encode(), content_type="application/json", actor=source.user)
    state = cockpit.health(alice, told, now)
    assert state.measured == before.measured + 6, "what measures itself without a recorded deployment must not be hidden"
    for running in told.live(now):
        end(running, actor=system, reason="Replaced")
    assert cockpit.health(alice, told, timezone.now()).measured == before.measured + 4, "1.0.0 in Germany has ended"


def test_a_rule_that_has_ended_judges_nothing(told: RegisteredModel, alice: User, system: User) -> None:
    before = cockpit.health(alice, told, timezone.now())
    assert (before.judged, before.beyond) == (1, 1)
    rule = Rule.objects.get()
    rule.valid_until = timezone.now()
    with acting(system, "No longer asked for"):
        rule.save(update_fields=["valid_until"])
    after = cockpit.health(alice, told, timezone.now())
    assert (after.measured, after.judged, after.beyond, after.chip.tone) == (before.measured, 0, 0, "unknown")
    assert "How it does is not known: no threshold judges what is measured." in text(page(alice, address(told)))


def test_silence_makes_the_health_unknown(told: RegisteredModel, alice: User) -> None:
    state = cockpit.health(alice, told, timezone.now() + timedelta(days=3650))
    assert state.measured >= 1
    assert state.worst is None or state.worst.status != "resolved"
