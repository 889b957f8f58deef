"""A dossier is revised: the registry fills what it knows, people write the rest, every state can be read again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from config.portal.errors import IllegalTransition
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.dossiers import providers, registry
from stewardship.dossiers.errors import DossierMoved, EditRefused, NoTemplate, TemplateIsFixed, TemplateRefused
from stewardship.dossiers.facts import facts
from stewardship.dossiers.models import Dossier, Revision, Template
from stewardship.dossiers.revise import described, revise
from stewardship.inventory.deploy import record
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.journal import canonical
from stewardship.journal.acting import acting
from stewardship.people.models import User
from tests.cast import Cast, make_version

SECTIONS: list[dict[str, Any]] = [
    {
        "key": "purpose",
        "title": "Purpose",
        "mandatory": True,
        "stale_after_days": 90,
        "blocks": [
            {"key": "why", "title": "Purpose", "type": "text", "provider": "model.purpose"},
            {"key": "intent", "title": "Intended use", "type": "text"},
            {"key": "limits", "title": "Limitations", "type": "list", "mandatory": False},
        ],
    },
    {
        "key": "registry",
        "title": "From the registry",
        "blocks": [
            {"key": "version", "title": "Version", "type": "facts", "provider": "version"},
            {"key": "people", "title": "People", "type": "people", "provider": "people"},
            {"key": "live", "title": "Runs", "type": "list", "provider": "deployments"},
            {"key": "versions", "title": "Versions", "type": "list", "provider": "versions"},
        ],
    },
]


def make(system: User, region: Any, slug: str = "model-card", sections: Any = None, publish: bool = True, order: int = 0) -> Template:
    template = Template(slug=slug, name=slug.title(), region=region, sections=sections or SECTIONS, order=order)
    with acting(system):
        template.save()
    if publish:
        template.publish(actor=system)
    return template


@pytest.fixture
def template(cast: Cast, system: User) -> Template:
    return make(system, cast.regions["global"])


def blocks(revision: Revision) -> dict[str, Any]:
    return {address: entry["value"] for address, entry in revision.content["blocks"].items()}


def test_the_first_revision_is_filled_by_the_registry(cast: Cast, template: Template, version: ModelVersion, alice: User) -> None:
    revision = revise(version.model, actor=alice, reason="First")
    held = blocks(revision)
    assert (revision.number, revision.version, revision.actor_id, revision.reason) == (1, version, alice.pk, "First")
    assert held["purpose.why"] == "Estimates a risk from measurements"
    assert held["purpose.intent"] is None
    assert held["registry.version"]["label"] == "1.0.0"
    assert {"role": "owner", "role_name": "model owner", "user": str(alice.pk)} in held["registry.people"]
    assert "Alice" not in str(revision.content), "names are looked up when it is read"
    assert held["registry.versions"][0].startswith("1.0.0 (")
    assert revision.digest == canonical.digest(revision.content)
    assert str(revision) == "Tumour risk · model-card · 1"


def test_people_write_what_the_registry_cannot_know(template: Template, version: ModelVersion, alice: User, system: User) -> None:
    revise(version.model, actor=alice, reason="First")
    second = revise(
        version.model, actor=alice, reason="Written", edits={"purpose.intent": "Second reading", "purpose.limits": ["Adults only"]}
    )
    third = revise(version.model, actor=system, reason="Refreshed")
    assert third == second, "nothing differs, so nothing is written"
    entry = second.content["blocks"]["purpose.intent"]
    assert (entry["value"], entry["edited_by"]) == ("Second reading", str(alice.pk))
    version.model.refresh_from_db()
    again = revise(version.model, actor=alice, reason="Still so", edits={"purpose.intent": "Second reading"})
    assert again.number == 3, "saying that it is still so is worth a revision: it makes the section fresh"


@pytest.mark.parametrize(
    ("edits", "field"),
    [({"purpose.gone": "x"}, "purpose.gone"), ({"purpose.why": "x"}, "purpose.why"), ({"purpose.intent": 3}, "purpose.intent")],
)
def test_an_edit_that_does_not_fit_is_refused(
    template: Template, model: RegisteredModel, alice: User, edits: dict[str, Any], field: str
) -> None:
    with pytest.raises(EditRefused) as refused:
        revise(model, actor=alice, reason="x", edits=edits)
    assert refused.value.field == field
    assert not Dossier.objects.exists()


def test_two_people_cannot_overwrite_each_other(template: Template, model: RegisteredModel, alice: User) -> None:
    revise(model, actor=alice, reason="First", based_on=0)
    with pytest.raises(DossierMoved):
        revise(model, actor=alice, reason="Late", edits={"purpose.intent": "x"}, based_on=0)
    assert revise(model, actor=alice, reason="Now", edits={"purpose.intent": "x"}, based_on=1).number == 2


def test_without_a_template_there_is_no_dossier(model: RegisteredModel, alice: User) -> None:
    with pytest.raises(NoTemplate, match="No dossier template is in use for Germany"):
        revise(model, actor=alice, reason="x")
    assert facts(model, timezone.now()) == {}


def test_who_may_not_revise(template: Template, model: RegisteredModel, bob: User, charlie: User) -> None:
    with pytest.raises(Forbidden):
        revise(model, actor=bob, reason="x")
    with pytest.raises(NotVisible):
        revise(model, actor=charlie, reason="x")


def test_a_region_adapts_a_template_and_the_dossier_follows(
    cast: Cast, template: Template, model: RegisteredModel, alice: User, system: User
) -> None:
    revise(model, actor=alice, reason="First", edits={"purpose.intent": "Kept"})
    draft = template.next_version(actor=system, region=cast.regions["eu"])
    draft.sections = [
        *SECTIONS,
        {"key": "law", "title": "Law", "mandatory": True, "blocks": [{"key": "note", "title": "Note", "type": "text"}]},
    ]
    with acting(system):
        draft.save()
    assert Template.objects.for_region(model.region) == {"model-card": template}
    draft.publish(actor=system)
    assert Template.objects.for_region(model.region) == {"model-card": draft}
    assert Template.objects.for_region(cast.regions["jp"]) == {"model-card": template}
    second = revise(model, actor=alice, reason="Adapted")
    assert (second.template, blocks(second)["purpose.intent"], second.completeness().missing) == (draft, "Kept", ["Law"])
    assert Dossier.objects.get().template == draft


def test_several_templates_give_several_dossiers(cast: Cast, template: Template, model: RegisteredModel, alice: User, system: User) -> None:
    make(system, cast.regions["eu"], "first-one", order=0)
    make(system, cast.regions["eu"], "later", SECTIONS[1:], order=5)
    assert list(Template.objects.for_region(model.region)) == ["first-one", "model-card", "later"]
    assert revise(model, actor=alice, reason="x").dossier.slug == "first-one"
    assert revise(model, actor=alice, reason="x", slug="later").dossier.slug == "later"
    with pytest.raises(NoTemplate):
        revise(model, actor=alice, reason="x", slug="gone")


def test_every_state_can_be_read_again(template: Template, model: RegisteredModel, alice: User) -> None:
    first = revise(model, actor=alice, reason="First")
    second = revise(model, actor=alice, reason="Second", edits={"purpose.intent": "x"})
    dossier = Dossier.objects.get()
    assert dossier.as_of() == second
    assert dossier.as_of(first.at) == first
    assert dossier.as_of(first.at - timedelta(seconds=1)) is None
    assert str(dossier) == "Tumour risk · model-card"


def test_the_facts_of_a_dossier(template: Template, model: RegisteredModel, alice: User) -> None:
    assert facts(model, timezone.now()) == {"completeness": 0, "missing": ["Purpose"], "stale": []}
    revise(model, actor=alice, reason="First")
    assert facts(model, timezone.now())["missing"] == ["Purpose"]
    revision = revise(model, actor=alice, reason="Second", edits={"purpose.intent": "x"})
    found = facts(model, timezone.now())
    assert (found["completeness"], found["missing"], found["revision"], found["digest"]) == (Decimal("1.00"), [], 2, revision.digest)
    assert facts(model, timezone.now() + timedelta(days=91))["stale"] == ["Purpose"]


def test_the_version_described_is_the_one_that_matters_most(cast: Cast, version: ModelVersion, system: User) -> None:
    model, later = version.model, make_version(version.model, "2.0.0")
    now = timezone.now() + timedelta(minutes=1)
    assert described(model, now) == later
    record(actor=system, version=version, environment=cast.environments["staging"], region=cast.regions["de"])
    assert described(model, now) == version
    record(actor=system, version=later, environment=cast.environments["production"], region=cast.regions["fr"])
    assert described(model, now) == later
    assert registry.deployments(model, later, now) == ["1.0.0 in Staging, Germany", "2.0.0 in Production, France"]


def test_a_model_without_versions_has_a_dossier_too(template: Template, model: RegisteredModel, alice: User) -> None:
    revision = revise(model, actor=alice, reason="Concept")
    assert (revision.version, blocks(revision)["registry.version"]) == (None, None)


def test_a_provider_that_is_gone_leaves_a_gap(model: RegisteredModel) -> None:
    filling = providers.Filling(model, None, timezone.now())
    assert filling.value("gone") is None
    assert filling.value("people.field") is None
    assert filling.value("model.name") == "Tumour risk"
    assert {"model", "version", "people", "deployments", "versions", "metrics", "tests", "evidence", "risk"} <= set(providers.names())


def test_a_template_in_use_never_changes(cast: Cast, template: Template, system: User) -> None:
    template.sections = SECTIONS[:1]
    with acting(system), pytest.raises(TemplateIsFixed):
        template.save()
    template.refresh_from_db()
    second = template.next_version(actor=system)
    second.publish(actor=system)
    template.refresh_from_db()
    assert (second.version, template.status, str(second)) == (2, "retired", "Model-Card 2")
    with pytest.raises(IllegalTransition):
        template.publish(actor=system)
    second.retire(actor=system, reason="Replaced")
    assert Template.objects.for_region(cast.regions["eu"]) == {}


def test_a_template_names_known_providers_only(cast: Cast, system: User) -> None:
    sections = [{"key": "a", "title": "A", "blocks": [{"key": "b", "title": "B", "type": "facts", "provider": "weather"}]}]
    template = Template(slug="bad", name="Bad", region=cast.regions["eu"], sections=sections)
    with acting(system), pytest.raises(TemplateRefused, match="'B' names the provider 'weather'"):
        template.save()
    with pytest.raises(ValidationError):
        template.clean()
    template.sections = []
    with pytest.raises(ValidationError, match="at least one section"):
        template.clean()
    template.sections = SECTIONS
    template.clean()


def test_only_who_configures_publishes_templates(cast: Cast, system: User, frank: User, alice: User) -> None:
    template = make(system, cast.regions["eu"], publish=False)
    with pytest.raises((Forbidden, NotVisible)):
        template.publish(actor=alice)
    template.publish(actor=frank)
    assert template.status == "in_use"
