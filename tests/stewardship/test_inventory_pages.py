"""The register, a family, registering; and every configuration page of this part of the house opens for whom it should."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from config.portal.pages import rendered_panels
from stewardship.frameworks.models import Applicability, Clause, Framework
from stewardship.inventory.models import DataDomain, Deployment, Environment, ModelFamily, ModelVersion, Project, RegisteredModel
from stewardship.inventory.pages import find_families, find_models
from stewardship.journal.acting import acting
from stewardship.people.models import Absence, Delegation, Membership, Team, User, system_user
from stewardship.people.tokens import AccessToken
from stewardship.regions.models import Bound, LegalEntity, Region, Setting, WorkingCalendar
from stewardship.regions.settings import set_value
from stewardship.roles.assign import assign
from stewardship.roles.models import Role, RoleAssignment, SeparationRule
from tests.cast import Cast, make_model


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


class TestRegister:
    def test_shows_exactly_what_the_person_may_see(self, cast: Cast, deployment: Deployment, foreign_model: RegisteredModel) -> None:
        seen = {name: sign_in(cast.users[name]).get("/models/").content.decode() for name in ("alice", "gita", "erin")}
        assert ["Tumour risk" in page for page in seen.values()] == [True, False, True]
        assert ["Credit line" in page for page in seen.values()] == [False, True, True]
        assert "Alice Adler" in seen["alice"]
        assert "1.0.0" in seen["alice"]
        assert sign_in(cast.users["charlie"]).get("/models/").status_code == 403
        assert Client().get("/models/").status_code == 302

    def test_export_is_what_is_shown(self, cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
        answer = sign_in(cast.users["alice"]).get("/models/?format=csv")
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        assert "Tumour risk" in text
        assert "Alice Adler" in text
        assert "Credit line" not in text

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("stage=concept", True),
            ("stage=retired", False),
            ("tier=none", True),
            ("tier=1", False),
            ("tier=x", None),
            ("region=eu", True),
            ("region=jp", False),
            ("region=nonsense", None),
            ("family=own", True),
            ("q=tumour", True),
            ("q=zebra", False),
            ("sort=region", True),
            ("sort=-name", True),
        ],
    )
    def test_filters(self, cast: Cast, model: RegisteredModel, query: str, shown: bool | None) -> None:
        name, _equals, value = query.partition("=")
        value = str(model.family_id) if value == "own" else value
        page = sign_in(cast.users["erin"]).get("/models/", {name: value})
        assert page.status_code == 200
        if shown is not None:
            assert (reverse("model_detail", args=[model.pk]) in page.content.decode()) is shown

    def test_costs_few_queries_and_bytes(self, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        first = make_model(cast, "model-0", "de")
        for number in range(1, 26):
            make_model(cast, f"model-{number}", "de", first.family)
        client = sign_in(cast.users["frank"])
        with django_assert_max_num_queries(20):
            page = client.get("/models/")
        assert len(page.content) < 60_000


class TestFamily:
    def test_shows_its_models(self, cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
        page = sign_in(cast.users["alice"]).get(f"/families/{model.family_id}/")
        assert "Tumour risk" in page.content.decode()
        assert sign_in(cast.users["alice"]).get(f"/families/{foreign_model.family_id}/").status_code == 404


class TestRegistering:
    def test_from_the_form_to_the_model(self, cast: Cast, family: ModelFamily) -> None:
        client = sign_in(cast.users["alice"])
        page = client.get(f"/models/new/?family={family.pk}")
        assert page.status_code == 200
        form = {
            "name": "Triage",
            "slug": "triage",
            "family": family.pk,
            "region": cast.regions["de"].pk,
            "purpose": "Sorts",
            "ruling": "model",
        }
        made = client.post("/models/new/", form)
        model = RegisteredModel.objects.get(slug="triage")
        assert made.status_code == 302
        assert made["Location"] == reverse("model_detail", args=[model.pk])
        again = client.post("/models/new/", form)
        assert again.status_code == 422
        assert "There is a model" in again.content.decode()

    def test_other_regions_cannot_be_chosen(self, cast: Cast, family: ModelFamily) -> None:
        client = sign_in(cast.users["alice"])
        page = client.get("/models/new/").content.decode()
        assert "Germany" in page
        assert "Japan" not in page
        form = {
            "name": "Triage",
            "slug": "triage",
            "family": family.pk,
            "region": cast.regions["jp"].pk,
            "purpose": "Sorts",
            "ruling": "model",
        }
        assert client.post("/models/new/", form).status_code == 422
        assert sign_in(cast.users["bob"]).get("/models/new/").status_code == 403


def test_the_palette_finds_what_may_be_seen(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    assert [hit.title for hit in find_models(cast.users["alice"], "risk", 5)] == ["Tumour risk"]
    assert find_models(cast.users["gita"], "risk", 5) == []
    assert [hit.title for hit in find_families(cast.users["gita"], "credit", 5)] == ["Credit line family"]


def test_the_people_panel_names_holders_and_vacancies(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    request = RequestFactory().get("/")
    request.user = cast.users["erin"]
    panels = [panel for panel in rendered_panels(request, "model:people", model) if panel["template"] == "stewardship/roles/_people.html"]
    lines = {line.role.slug: [one.user.username for one in line.people] for line in panels[0]["context"]["lines"]}
    assert lines["owner"] == ["alice"]
    assert lines["validator"] == ["bob"]
    far = rendered_panels(request, "model:people", foreign_model)[0]["context"]
    assert {role.slug for role in far["vacant"]} >= {"validator", "responder"}


def test_the_people_panel_shows_the_nearest_and_counts_the_others(cast: Cast, model: RegisteredModel) -> None:
    with acting(system_user(), "Many responders"):
        many = [User.objects.create_user(f"responder-{number}", f"r{number}@bank.example", None) for number in range(12)]
    for user in many:
        assign(actor=system_user(), role="responder", user=user, region=cast.regions["global"], rationale="One of many")
    already = 1  # ivan, who is nearer
    page = reverse("model_detail", args=[model.pk]) + "?tab=people"
    shown = {name: sign_in(cast.users[name]).get(page).content.decode() for name in ("frank", "alice")}
    for text in shown.values():
        assert text.count("responder-") == 10 - already
        assert "and 3 more people" in text
    assert "role__id__exact" in shown["frank"]


CONFIGURED = [
    Region,
    LegalEntity,
    WorkingCalendar,
    Bound,
    Setting,
    User,
    Team,
    Membership,
    Absence,
    Delegation,
    AccessToken,
    Project,
    DataDomain,
    Environment,
    ModelFamily,
    RegisteredModel,
    ModelVersion,
    Deployment,
    Role,
    SeparationRule,
    RoleAssignment,
    Framework,
    Clause,
    Applicability,
]


@pytest.fixture
def trusted(settings: Settings) -> None:
    """Nobody is sent to set up a second factor in the middle of a test."""
    settings.MFA_ENROLMENT_GRACE_DAYS = 3650


def _admin(model: type[Any], what: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


@pytest.mark.parametrize("noun", CONFIGURED, ids=lambda noun: noun.__name__)
def test_every_noun_has_its_configuration_page(cast: Cast, deployment: Deployment, trusted: None, noun: type[Any]) -> None:
    assert noun in admin.site._registry
    root = cast.users["charlie"]
    assign(actor=system_user(), role="regional-admin", user=root, region=cast.regions["global"], rationale="Configures")
    client = sign_in(root)
    assert client.get(_admin(noun, "changelist")).status_code == 200
    row = noun.objects.allowed(root, admin.site._registry[noun].rights["view"]).first()  # type: ignore[attr-defined]
    if row is not None:
        assert client.get(_admin(noun, "change", row.pk)).status_code == 200
    assert client.get(_admin(noun, "add")).status_code in (200, 403)
    assert sign_in(cast.users["gita"]).get(_admin(noun, "add")).status_code in (200, 403, 302)


class TestConfiguring:
    def test_a_setting_goes_through_its_verb(self, cast: Cast, trusted: None) -> None:
        from stewardship.journal.acting import acting

        with acting(system_user()):
            Bound(parameter="review.days", combine="min", low=1, high=90).save()
        set_value(cast.regions["global"], "review.days", 60, actor=system_user())
        client = sign_in(cast.users["frank"])
        form = {
            "region": cast.regions["eu"].pk,
            "parameter": "review.days",
            "value": "30",
            "valid_from_0": "2100-01-01",
            "valid_from_1": "00:00",
            "why": "Stricter here",
        }
        assert client.post(_admin(Setting, "add"), form).status_code == 302
        assert Setting.objects.get(region=cast.regions["eu"]).value == 30
        client.post(_admin(Setting, "add"), {**form, "value": "100"})
        client.post(_admin(Setting, "add"), {**form, "region": cast.regions["jp"].pk})
        assert Setting.objects.count() == 2

    def test_an_assignment_goes_through_its_verb(self, cast: Cast, trusted: None, model: RegisteredModel) -> None:
        client = sign_in(cast.users["frank"])
        form = {
            "role": cast.roles["responder"].pk,
            "user": cast.users["alice"].pk,
            "model": model.pk,
            "valid_from_0": "2100-01-01",
            "valid_from_1": "00:00",
            "reason": "On call",
        }
        assert client.post(_admin(RoleAssignment, "add"), form).status_code == 302
        row = RoleAssignment.objects.get(model=model)
        assert row.rationale == "On call"
        client.post(_admin(RoleAssignment, "add"), {**form, "role": cast.roles["validator"].pk})
        assert RoleAssignment.objects.filter(model=model).count() == 1, "the second line is appointed by the second line"
        client.post(_admin(RoleAssignment, "changelist"), {"action": "end", "_selected_action": [row.pk]})
        row.refresh_from_db()
        assert row.valid_until is not None

    def test_a_model_is_edited_by_its_verb(self, cast: Cast, trusted: None, model: RegisteredModel) -> None:
        client = sign_in(cast.users["frank"])
        form = {"name": "New name", "purpose": model.purpose, "ruling": "model", "technique": "trees", "tier": "1", "reason": "Better"}
        assert client.post(_admin(RegisteredModel, "change", model.pk), form).status_code == 302
        model.refresh_from_db()
        assert (model.name, model.technique, model.tier) == ("New name", "trees", None)
        made = {**form, "slug": "fresh", "family": model.family_id, "region": cast.regions["fr"].pk}
        assert client.post(_admin(RegisteredModel, "add"), made).status_code == 302
        assert RegisteredModel.objects.get(slug="fresh").registered_at

    def test_a_family_stays_where_it_was_made(self, cast: Cast, trusted: None, family: ModelFamily) -> None:
        charlie = cast.users["charlie"]
        assign(actor=system_user(), role="owner", user=charlie, family=family, rationale="This family")
        assign(actor=system_user(), role="responder", user=charlie, region=cast.regions["global"], rationale="Sees everything")
        form = {"name": "Risk", "slug": "stolen", "region": cast.regions["jp"].pk, "purpose": family.purpose, "reason": "Mine"}
        sign_in(charlie).post(_admin(ModelFamily, "change", family.pk), form)
        family.refresh_from_db()
        assert (family.name, family.slug, family.region) == ("Risk", "tumour-risk", cast.regions["de"])

    def test_a_person_is_made_with_or_without_a_password(self, cast: Cast, trusted: None) -> None:
        client = sign_in(cast.users["frank"])
        form = {
            "username": "zoe",
            "full_name": "Zoe Zeller",
            "email": "zoe@bank.example",
            "home_region": cast.regions["fr"].pk,
            "time_zone": "Europe/Paris",
            "language": "en",
            "is_active": "on",
            "reason": "Joins",
        }
        assert client.post(_admin(User, "add"), form).status_code == 302
        zoe = User.objects.get(username="zoe")
        assert not zoe.has_usable_password()
        with_one = {**form, "username": "yann", "email": "yann@bank.example", "first_password": "a long first secret"}
        assert client.post(_admin(User, "add"), with_one).status_code == 302
        assert User.objects.get(username="yann").check_password("a long first secret")
        client.post(_admin(User, "add"), {**form, "username": "yui", "email": "y@bank.example", "home_region": cast.regions["jp"].pk})
        assert not User.objects.filter(username="yui").exists(), "Japan is not Frank's"

    def test_tokens_are_revoked_by_their_verb(self, cast: Cast, trusted: None, pipeline_token: str) -> None:
        token = AccessToken.objects.get()
        client = sign_in(cast.users["frank"])
        client.post(_admin(AccessToken, "changelist"), {"action": "revoke", "_selected_action": [token.pk]})
        token.refresh_from_db()
        assert token.revoked_at is not None

    def test_a_matrix_row_gives_the_right_at_once(self, cast: Cast, trusted: None) -> None:
        from stewardship.access import allowed_to
        from stewardship.roles.matrix import set_rights

        charlie = cast.users["charlie"]
        set_rights(cast.roles["executive"], {"roles:role:view": "R", "roles:role:configure": "R"}, actor=system_user())
        assign(actor=system_user(), role="executive", user=charlie, region=cast.regions["global"], rationale="Configures roles")
        role = cast.roles["pipeline"]
        form: dict[str, Any] = {
            "name": role.name,
            "slug": role.slug,
            "combine": role.combine,
            "delegable": "on",
            "reason": "CI may edit",
        }
        form |= {f"matrix.{row.right}": row.raci for row in role.decision_rights.all()}
        refused = sign_in(charlie).post(_admin(Role, "change", role.pk), {**form, "matrix.inventory:model:edit": "X"})
        assert "inventory:model:edit: choose one of the four" in refused.content.decode()
        form["matrix.inventory:model:edit"] = "R"
        page = sign_in(charlie).post(_admin(Role, "change", role.pk), form)
        assert page.status_code == 302, page.context and page.context["errors"]
        assert allowed_to(cast.users["pipeline"], "inventory:model:edit", cast.regions["eu"])
        row = role.decision_rights.get(right="inventory:model:edit")
        assert [(line.history_type, line.history_change_reason) for line in row.history.all()] == [("+", "CI may edit")]
        shown = sign_in(charlie).get(_admin(Role, "change", role.pk)).content.decode()
        assert '<option value="R" selected>' in shown.partition('name="matrix.inventory:model:edit"')[2].partition("</select>")[0]
        del form["matrix.inventory:model:edit"]
        sign_in(charlie).post(_admin(Role, "change", role.pk), form)
        assert not allowed_to(cast.users["pipeline"], "inventory:model:edit", cast.regions["eu"])
