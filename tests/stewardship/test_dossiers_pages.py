"""The dossier is read, revised, compared and taken away."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.portal.registry import panels
from stewardship.dossiers.models import Dossier, Template
from stewardship.dossiers.revise import revise
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal import canonical
from stewardship.journal.acting import acting
from stewardship.people.models import User
from tests.cast import Cast

pytestmark = pytest.mark.django_db

SECTIONS: list[dict[str, Any]] = [
    {
        "key": "use",
        "title": "Use",
        "mandatory": True,
        "stale_after_days": 90,
        "help": "What it is for",
        "blocks": [
            {"key": "intent", "title": "Intended use", "type": "text", "help": "Whom does it help?"},
            {"key": "limits", "title": "Limitations", "type": "list", "mandatory": False},
        ],
    },
    {
        "key": "known",
        "title": "Registry",
        "blocks": [
            {"key": "version", "title": "Version", "type": "facts", "provider": "version"},
            {"key": "metrics", "title": "Metrics", "type": "metrics", "provider": "metrics"},
            {"key": "people", "title": "People", "type": "people", "provider": "people"},
            {"key": "risk", "title": "Risk", "type": "facts", "provider": "risk"},
        ],
    },
]


@pytest.fixture
def template(cast: Cast, system: User) -> Template:
    template = Template(slug="model-card", name="Model card", region=cast.regions["global"], sections=SECTIONS)
    with acting(system):
        template.save()
    template.publish(actor=system)
    return template


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_dossier_is_begun_and_revised(template: Template, version: ModelVersion, alice: User) -> None:
    client, url = as_user(alice), f"/models/{version.model.pk}/dossier/"
    empty = client.get(url)
    assert empty.status_code == 200
    assert b"The dossier of Tumour risk has not been begun" in empty.content
    form = {"based_on": "0", "use.intent": "Second reading", "use.limits": "Adults only\nOne clinic\n", "reason": "First"}
    saved = client.post(url, form, follow=True)
    assert saved.redirect_chain == [(url, 302)]
    text = saved.content.decode()
    for words in ("the dossier is complete", "Second reading", "One clinic", "Alice Adler", "model owner: Alice Adler", "1.0.0", "First"):
        assert words in text
    assert Dossier.objects.get().as_of().content["blocks"]["use.limits"]["value"] == ["Adults only", "One clinic"]  # type: ignore[union-attr]


def test_a_stale_form_loses_nothing_and_says_so(template: Template, version: ModelVersion, alice: User) -> None:
    revise(version.model, actor=alice, reason="Meanwhile", edits={"use.intent": "Theirs"})
    answer = as_user(alice).post(f"/models/{version.model.pk}/dossier/", {"based_on": "0", "use.intent": "Mine", "reason": "Late"})
    assert answer.status_code == 422
    assert b"Somebody revised this dossier meanwhile." in answer.content
    assert b">\nMine</textarea>" in answer.content or b"Mine</textarea>" in answer.content


def test_confirming_makes_it_fresh_again(template: Template, version: ModelVersion, alice: User) -> None:
    revise(version.model, actor=alice, reason="First", edits={"use.intent": "Second reading"})
    form = {"based_on": "1", "use.intent": "Second reading", "use.limits": "", "confirmed": "on", "reason": "Reviewed"}
    assert as_user(alice).post(f"/models/{version.model.pk}/dossier/", form).status_code == 302
    second = Dossier.objects.get().as_of()
    assert second is not None
    assert (second.number, "edited_at" in second.content["blocks"]["use.limits"]) == (2, False)


def test_who_may_read_and_who_may_write(
    template: Template, version: ModelVersion, bob: User, gita: User, charlie: User, alice: User
) -> None:
    url = f"/models/{version.model.pk}/dossier/"
    revise(version.model, actor=alice, reason="First")
    page = as_user(bob).get(url)
    assert page.status_code == 200
    assert b'id="revise"' not in page.content
    assert as_user(bob).post(url, {"based_on": "1", "reason": "x"}).status_code == 403
    for user in (gita, charlie):
        for suffix in ("dossier/", "dossier.md", "dossier.json", "dossier/diff/"):
            assert as_user(user).get(f"/models/{version.model.pk}/{suffix}").status_code == 404, (user, suffix)
    assert Client().get(url).status_code == 302


def test_a_past_day_is_read_and_not_written(template: Template, version: ModelVersion, alice: User) -> None:
    revise(version.model, actor=alice, reason="First", edits={"use.intent": "Old words"})
    client, url = as_user(alice), f"/models/{version.model.pk}/dossier/"
    today = timezone.localtime().date()
    now = client.get(url, {"as_of": today.isoformat()}).content
    assert b"Old words" in now
    assert b'id="revise"' not in now
    assert b"Old words" not in client.get(url, {"as_of": (today - timedelta(days=1)).isoformat()}).content
    later = client.get(url, {"as_of": (today + timedelta(days=200)).isoformat()}).content
    assert b"Not looked at for too long: Use." in later
    for wrong in ("yesterday", "2026-02-31"):
        assert client.get(url, {"as_of": wrong}).status_code == 400


def test_two_revisions_are_compared_word_by_word(template: Template, version: ModelVersion, alice: User) -> None:
    client, url = as_user(alice), f"/models/{version.model.pk}/dossier/diff/"
    assert client.get(url).status_code == 404
    revise(version.model, actor=alice, reason="First", edits={"use.intent": "Reads scans of <b>adults</b>"})
    revise(version.model, actor=alice, reason="Wider", edits={"use.intent": "Reads scans of all <b>adults</b>"})
    text = client.get(url).content.decode()
    assert "What changed from revision 1 to 2" in text
    assert "1 block changed" in text
    assert "Reads scans of <ins>all </ins>&lt;b&gt;adults&lt;/b&gt;" in text
    assert client.get(url, {"from": "1", "to": "2"}).status_code == 200
    for wrong in ({"to": "9"}, {"from": "x"}, {"from": "²"}):
        assert client.get(url, wrong).status_code == 404


def test_the_card_as_markdown(template: Template, version: ModelVersion, alice: User) -> None:
    client, url = as_user(alice), f"/models/{version.model.pk}/dossier.md"
    assert client.get(url).status_code == 404
    revise(version.model, actor=alice, reason="First", edits={"use.intent": "Helps *doctors*\n# not a heading\n---", "use.limits": ["a|b"]})
    answer = client.get(url)
    assert answer["Content-Disposition"] == 'attachment; filename="tumour-risk-1.md"'
    text = answer.content.decode()
    assert text.startswith('---\nmodel: "tumour-risk"\n')
    assert "## Use\n\n### Intended use\n\nHelps *doctors*\n\\# not a heading\n\\---\n" in text
    assert "- a\\|b" in text
    assert "- **label**: 1.0.0" in text
    assert "### Metrics\n\n*Not known.*" in text
    assert "- model owner: Alice Adler" in text


def test_the_card_as_json_carries_its_digest(template: Template, version: ModelVersion, alice: User) -> None:
    revision = revise(version.model, actor=alice, reason="First")
    body = as_user(alice).get(f"/models/{version.model.pk}/dossier.json").content
    document = canonical.load(body)
    assert document["digest"] == revision.digest == canonical.digest(document["content"])
    assert json.loads(body)["missing"] == ["Use"]


def test_a_table_of_metrics(template: Template, version: ModelVersion, alice: User, pipeline: User, settings: Any, tmp_path: Any) -> None:
    from governance.evidence.attach import attach

    settings.MEDIA_ROOT = tmp_path / "blobs"
    data = b'{"metrics": {"auc": {"value": 0.9, "n": 20, "low": 0.8, "high": 0.95}, "loss": 1}}'
    attach(version=version, kind="metrics", data=data, name="m.json", media_type="application/json", actor=pipeline)
    revise(version.model, actor=alice, reason="First")
    client = as_user(alice)
    assert (
        "| name | value | n | low | high |\n|---|---|---|---|---|\n| auc | 0.9 | 20 | 0.8 | 0.95 |\n| loss | 1 |"
        in client.get(f"/models/{version.model.pk}/dossier.md").content.decode()
    )
    assert b"0.95" in client.get(f"/models/{version.model.pk}/dossier/").content


def test_without_a_template_the_page_says_so(version: ModelVersion, alice: User) -> None:
    answer = as_user(alice).get(f"/models/{version.model.pk}/dossier/")
    assert b"No dossier template is in use for Germany" in answer.content


def test_the_page_costs_few_queries(template: Template, version: ModelVersion, alice: User, django_assert_max_num_queries: Any) -> None:
    for words in ("a", "b", "c"):
        revise(version.model, actor=alice, reason=words, edits={"use.intent": words})
    client = as_user(alice)
    client.get(f"/models/{version.model.pk}/dossier/")
    with django_assert_max_num_queries(20):
        answer = client.get(f"/models/{version.model.pk}/dossier/")
    assert len(answer.content) < 60_000


def test_the_panel_for_the_cockpit(template: Template, version: ModelVersion, alice: User, charlie: User, rf: Any) -> None:
    from django.template.loader import render_to_string

    (panel,) = [one for one in panels.at("model:dossier") if "dossiers" in one.template]

    def show(user: User) -> str | None:
        request = rf.get("/")
        request.user = user
        context = panel.context(request, version.model)
        return None if context is None else render_to_string(panel.template, dict(context), request=request)

    assert "This model has no dossier yet." in (show(alice) or "")
    revise(version.model, actor=alice, reason="First")
    assert "Incomplete: Use." in (show(alice) or "")
    assert show(charlie) is None


def test_templates_are_configured_in_the_admin(cast: Cast, template: Template, dana: User, frank: User) -> None:
    client = as_user(frank)
    assert client.get("/stewardship/template/").status_code == 200
    assert client.get(f"/stewardship/template/{template.pk}/change/").status_code == 404, (
        "a template above one's own region is out of sight"
    )
    wrong = {"slug": "bad", "name": "Bad", "region": str(cast.regions["eu"].pk), "order": "1", "sections": "[]", "reason": "Try"}
    answer = client.post("/stewardship/template/add/", wrong)
    assert "at least one section" in answer.content.decode()
    good = {**wrong, "slug": "eu-card", "sections": json.dumps(SECTIONS)}
    assert client.post("/stewardship/template/add/", good).status_code == 302
    made = Template.objects.get(slug="eu-card")
    assert (made.status, made.version) == ("draft", 1)
    for action, status in (("publish", "in_use"), ("publish", "in_use"), ("draft_next", "in_use"), ("retire", "retired")):
        client.post("/stewardship/template/", {"action": action, "_selected_action": str(made.pk)})
        made.refresh_from_db()
        assert made.status == status, action
    assert Template.objects.filter(slug="eu-card", version=2).exists()


def test_model_without_dossier_is_shown_to_readers(template: Template, model: RegisteredModel, bob: User) -> None:
    assert b"Nothing has been written here." in as_user(bob).get(f"/models/{model.pk}/dossier/").content
