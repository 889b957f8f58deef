"""The questionnaire as a page: answer, see the result, keep it; and the card on the model's page."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from config.portal.pages import rendered_panels
from governance.policies.draft import add_rule, create_policy
from governance.policies.evaluate import evaluate
from governance.policies.models import Policy, PolicyVersion, Rule
from governance.risk.assess import assess
from governance.risk.models import Assessment, Questionnaire
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User
from tests.cast import Cast
from tests.governance.test_risk_assess import BANDS, FLOORS, LOW, QUESTIONS, make

pytestmark = pytest.mark.django_db


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def questionnaire(cast: Cast, system: User) -> Questionnaire:
    return make(system, cast)


def test_the_result_is_shown_before_it_is_kept(questionnaire: Questionnaire, model: RegisteredModel, kate: User) -> None:
    client, url = as_user(kate), f"/models/{model.pk}/risk/"
    assert b"How high is materiality?" in client.get(url).content
    shown = client.post(url, {**LOW, "usage": "high", "preview": "1"}).content.decode()
    assert "Score 1.3980, tier 2." in shown
    assert "The score alone would give tier 3." in shown
    assert "At least tier 2: Decides about people alone." in shown
    assert not Assessment.objects.exists()
    answer = client.post(url, {**LOW, "usage": "high"})
    assert (answer.status_code, answer["Location"]) == (302, f"/models/{model.pk}/")
    model.refresh_from_db()
    assert (model.tier, Assessment.objects.get().actor_id) == (2, kate.pk)
    again = client.get(url).content.decode()
    assert 'value="high"' in again
    assert again.count("checked") == 4, "the last answers are filled in"


def test_missing_answers_and_a_missing_reason_are_shown_at_their_field(
    questionnaire: Questionnaire, model: RegisteredModel, kate: User
) -> None:
    client, url = as_user(kate), f"/models/{model.pk}/risk/"
    assert b"This field is required." in client.post(url, {"preview": "1"}).content
    refused = client.post(url, {**LOW, "override_tier": "1"})
    assert refused.status_code == 422
    assert b"The answers give tier 3; tier 1 needs a reason." in refused.content


def test_who_may_open_the_page(cast: Cast, model: RegisteredModel, kate: User, ivan: User, gita: User, system: User) -> None:
    assert as_user(kate).get(f"/models/{model.pk}/risk/").status_code == 404, "nobody has published a questionnaire"
    make(system, cast)
    assert [as_user(user).get(f"/models/{model.pk}/risk/").status_code for user in (kate, ivan, gita)] == [200, 404, 404]


def show(place: str, template: str, user: User, model: RegisteredModel, rf: Any) -> str | None:
    request = rf.get("/")
    request.user = user
    found = [panel for panel in rendered_panels(request, place, model) if template in panel["template"]]
    return render_to_string(found[0]["template"], found[0]["context"], request=request) if found else None


def test_the_risk_card(questionnaire: Questionnaire, model: RegisteredModel, kate: User, bob: User, charlie: User, rf: Any) -> None:
    assert "nobody has assessed" in (show("model:aside", "_risk_panel", kate, model, rf) or "")
    assess(model=model, questionnaire=questionnaire, answers={**LOW, "usage": "high"}, actor=kate, override_tier=1, rationale="New clinic")
    card = show("model:aside", "_risk_panel", bob, model, rf) or ""
    for words in ("Tier 1, from a score of 1.398.", "New clinic", "The answers gave tier 2.", "At least tier 2", "Assess again"):
        assert words in card
    assert show("model:aside", "_risk_panel", charlie, model, rf) is None


def test_the_evidence_card(version: ModelVersion, pipeline: User, bob: User, charlie: User, rf: Any, settings: Any, tmp_path: Any) -> None:
    from governance.evidence.attach import attach
    from tests.governance.test_evidence_attach import DATA

    settings.MEDIA_ROOT = tmp_path / "blobs"
    assert "No evidence has been attached" in (show("model:dossier", "_evidence_panel", bob, version.model, rf) or "")
    for kind, name, media in (("metrics", "metrics.json", "application/json"), ("junit", "junit.xml", "application/xml")):
        attach(version=version, kind=kind, data=(DATA / "1.2.0" / name).read_bytes(), name=name, media_type=media, actor=pipeline)
    attach(version=version, kind="metrics", data=b"{}", name="broken.json", media_type="application/json", actor=pipeline)
    card = show("model:dossier", "_evidence_panel", bob, version.model, rf) or ""
    for words in ("Evidence for 1.0.0", "6 of 8 tests passed", "test_brier_score_at_most_0_065", "broken.json", "Not known"):
        assert words in card
    assert show("model:dossier", "_evidence_panel", charlie, version.model, rf) is None


def test_a_model_without_versions_has_no_evidence_card(model: RegisteredModel, bob: User, rf: Any) -> None:
    assert show("model:dossier", "_evidence_panel", bob, model, rf) is None


def test_questionnaires_are_configured_in_the_admin(cast: Cast, kate: User) -> None:
    client = as_user(kate)
    documents = {"questions": json.dumps(QUESTIONS, default=str), "bands": json.dumps(BANDS, default=str), "floors": json.dumps(FLOORS)}
    documents["questions"] = documents["questions"].replace('"20.5"', "20.5")
    documents["bands"] = documents["bands"].replace('"2.1"', "2.1").replace('"1.6"', "1.6")
    given = {"slug": "eu", "name": "EU", "region": str(cast.regions["eu"].pk), "reason": "Ours", **documents}
    wrong = client.post("/governance/questionnaire/add/", {**given, "bands": "[]"})
    assert "Bands are a list" in wrong.content.decode()
    assert "Floors are a list" in client.post("/governance/questionnaire/add/", {**given, "floors": "5"}).content.decode()
    assert client.post("/governance/questionnaire/add/", given).status_code == 302
    made = Questionnaire.objects.get(slug="eu")
    for action, status in (("publish", "in_use"), ("draft_next", "in_use"), ("retire", "retired")):
        client.post("/governance/questionnaire/", {"action": action, "_selected_action": str(made.pk)})
        made.refresh_from_db()
        assert made.status == status, action
    assert client.get(f"/governance/questionnaire/{made.pk}/change/").status_code == 200
    assert client.get("/governance/assessment/").status_code == 200
    assert client.get("/governance/artifact/").status_code == 200


def inline(rules: list[dict[str, str]], initial: int = 0) -> dict[str, str]:
    form = {
        "rules-TOTAL_FORMS": str(len(rules)),
        "rules-INITIAL_FORMS": str(initial),
        "rules-MIN_NUM_FORMS": "0",
        "rules-MAX_NUM_FORMS": "1000",
    }
    for number, rule in enumerate(rules):
        form |= {f"rules-{number}-{name}": value for name, value in {"order": "0", "severity": "block", "applies_when": "", **rule}.items()}
    return form


def test_a_policy_is_written_previewed_and_published_in_the_admin(cast: Cast, dana: User, system: User, model: RegisteredModel) -> None:
    client = as_user(dana)
    answer = client.post(
        "/governance/policy/add/",
        {"slug": "base", "name": "Base", "region": str(cast.regions["global"].pk), "description": "", "reason": "Start"},
    )
    assert answer.status_code == 302
    version = PolicyVersion.objects.get()
    evaluate(
        {"model": {"tier": 2}},
        subject_kind="change",
        subject_id=model.pk,
        model=model,
        region=model.region,
        at=timezone.now(),
        actor=system,
    )
    url = f"/governance/policyversion/{version.pk}/change/"
    wrong = client.post(url, {"notes": "", "reason": "x", **inline([{"key": "tier", "title": "Tier", "expression": "model.tier = 1"}])})
    assert "Unexpected &#x27;=&#x27; at column 12. Write == to compare." in wrong.content.decode()
    assert not Rule.objects.exists()
    good = {"notes": "First", "reason": "x", **inline([{"key": "tier", "title": "Tier is one.", "expression": "model.tier == 1"}])}
    assert client.post(url, good).status_code == 302
    page = client.get(url).content.decode()
    assert "Against the last 1 evaluations that you may see, 1 would have changed." in page
    assert "Tumour risk: undecided → denied" in page
    client.post("/governance/policyversion/", {"action": "publish", "_selected_action": str(version.pk)})
    version.refresh_from_db()
    assert (version.status, version.notes) == ("in_force", "First")
    assert 'name="rules-0-expression"' not in client.get(url).content.decode(), "a published version is only read"
    assert client.get(f"/governance/rule/{version.rules.get().pk}/change/").status_code == 200
    of_policy = client.get(f"/governance/policy/{version.policy_id}/change/").content.decode()
    assert 'name="name"' in of_policy
    assert not set(re.findall(r'name="(slug|region)"', of_policy)), "what others name is settled"
    client.post("/governance/policy/", {"action": "draft_next", "_selected_action": str(Policy.objects.get().pk)})
    client.post("/governance/policyversion/", {"action": "retire", "_selected_action": str(version.pk)})
    version.refresh_from_db()
    assert (version.status, PolicyVersion.objects.count()) == ("retired", 2)
    assert client.get("/governance/evaluation/").status_code == 200


def test_waivers_are_ended_in_the_admin_by_who_may(cast: Cast, dana: User, system: User, model: RegisteredModel) -> None:
    from tests.governance.test_policies_evaluate import waive

    version = create_policy(actor=system, slug="policy-de", name="DE", region=cast.regions["de"])
    add_rule(version, actor=system, key="recall", title="Recall is high.", expression="false")
    version.publish(actor=system)
    waiver = waive(model, system)
    client = as_user(dana)
    assert b"policy-de/recall" in client.get("/governance/waiver/").content
    client.post("/governance/waiver/", {"action": "end", "_selected_action": str(waiver.pk)})
    waiver.refresh_from_db()
    assert waiver.ended_at is None, "the cast's compliance officer may not end waivers"
