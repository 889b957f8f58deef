"""The portfolio: each figure equals the rows it leads to, for each reader and region; nothing of what one may not see is counted."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from config.portal import palette
from governance.approvals.submit import submit
from governance.changes.looks import LastLook
from governance.gate.ask import ask
from governance.portfolio import figures, find
from governance.portfolio.whole_pages import DeploymentList
from stewardship.inventory.models import Deployment, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_family, make_model, make_version
from tests.governance.audit_case import story
from tests.governance.change_case import full_draft, with_evidence
from tests.governance.test_portfolio_cockpit import page, text

pytestmark = pytest.mark.django_db
ROWS = re.compile(r"([\d,]+) rows?")


@pytest.fixture
def bank(cast: Cast) -> RegisteredModel:
    """A story in Germany, one model in France, two in Japan, a change in review, refusals at the gate."""
    model = story(cast)
    family = make_family(cast, "retail", "eu")
    make_model(cast, "churn", "fr", family)
    for slug in ("credit-line", "card-fraud"):
        make_model(cast, slug, "jp")
    version = make_version(model, "1.2.0")
    with_evidence(version)
    submit(full_draft(cast, model, version), actor=cast.users["alice"])
    for _time in range(2):
        ask(model=model.slug, version="1.1.0", environment="production", region="de", actor=cast.users["alice"])
    return model


def rows_behind(person: User, url: str) -> int:
    """How many rows the list at this address counts."""
    client = Client()
    client.force_login(person)
    html = client.get(url).content.decode()
    assert "cannot be used" not in html
    assert "is no choice" not in html
    found = ROWS.search(text(html))
    assert found is not None, url
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("region", ["", "eu", "de", "apac"])
@pytest.mark.parametrize("name", ["erin", "bob", "gita"])
def test_every_figure_leads_to_exactly_its_rows(bank: RegisteredModel, cast: Cast, name: str, region: str) -> None:
    person = cast.users[name]
    client = Client()
    client.force_login(person)
    answer = client.get(reverse("portfolio"), {"region": region} if region else {})
    if answer.status_code == 400:
        assert "that you may see" in unescape(answer.content.decode())
        return
    shown = answer.context
    assert shown["total"] == rows_behind(person, shown["models_url"])
    for figure in shown["figures"]:
        assert figure.value == rows_behind(person, figure.url), figure.name
    for row in shown["matrix"]:
        for cell in (row.total, *row.tiers, *row.stages):
            assert bool(cell.value) == bool(cell.url)
            if cell.url:
                assert cell.value == rows_behind(person, cell.url), cell.label


@pytest.mark.parametrize("practice", ["apac", "de"])
@pytest.mark.parametrize("name", ["erin", "bob", "gita"])
def test_practice_is_counted_only_where_it_is_asked_for(bank: RegisteredModel, cast: Cast, name: str, practice: str) -> None:
    with acting(system_user(), "For newcomers"):
        cast.regions[practice].practice = True
        cast.regions[practice].save()
    # The figures still are exactly the rows they lead to, and what lies below a region for practising is practice too.
    for region in ("", "emea", "de", "jp"):
        test_every_figure_leads_to_exactly_its_rows(bank, cast, name, region)
    erin = figures.Portfolio(cast.users["erin"], timezone.now())
    found = {one.name: one.value for one in erin.figures()}
    assert found["live"] == (0 if practice == "de" else 1)
    assert sum(erin.counted().values()) == {"de": 3, "apac": 2}[practice]
    asked = figures.Portfolio(cast.users["erin"], timezone.now(), "de")
    assert {one.name: one.value for one in asked.figures()}["live"] == 1
    assert "Practice" in text(page(cast.users["erin"], reverse("model_detail", args=[bank.pk]))) or practice != "de"


def test_what_is_counted(bank: RegisteredModel, erin: User, bob: User, gita: User) -> None:
    def values(person: User, region: str = "") -> dict[str, int]:
        return {one.name: one.value for one in figures.Portfolio(person, timezone.now(), region).figures()}

    found = values(erin)
    assert (found["live"], found["awaited"], found["refused"]) == (1, 1, 1)
    assert found["denied"] == 2
    assert values(erin, "jp") == dict.fromkeys(found, 0) | {"gaps": values(erin, "jp")["gaps"]}
    assert values(gita)["awaited"] == 0
    assert figures.Portfolio(erin, timezone.now()).counted().total() == 4
    assert figures.Portfolio(bob, timezone.now()).counted().total() == 2


def test_the_page_within_the_budgets(bank: RegisteredModel, erin: User, alice: User) -> None:
    said = text(page(erin, reverse("portfolio")))
    assert "Everything you may see: 4 models" in said
    assert "1 decision is awaited" in said
    assert "waits for validator" in said
    assert "What these figures mean" in said
    assert "EU: 2 models" in text(page(erin, reverse("portfolio") + "?region=eu"))
    for name in ("deployment_list", "verdict_list", "my_models"):
        page(alice, reverse(name))
    page(erin, reverse("portfolio") + "?region=mars", status=400)


def test_a_region_for_practising_is_in_no_figure(bank: RegisteredModel, cast: Cast, erin: User) -> None:
    from stewardship.journal.acting import acting
    from stewardship.people.models import system_user

    with acting(system_user(), "A place to practise"):
        region = cast.regions["fr"]
        region.practice = True
        region.save()
    portfolio = figures.Portfolio(erin, timezone.now(), "eu")
    assert portfolio.counted().total() == 1
    assert "fr" not in [row.code for row in figures.matrix(portfolio, portfolio.counted())]


def test_the_counts_as_a_file_add_up(bank: RegisteredModel, erin: User) -> None:
    client = Client()
    client.force_login(erin)
    answer = client.get(reverse("portfolio"), {"format": "csv"})
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head == ["Region", "Tier", "Stage", "Models"]
    assert sum(int(row[3]) for row in rows) == 4
    assert {row[0] for row in rows} == {"Germany", "France", "Japan"}


def test_my_models_are_those_on_which_i_hold_a_role(bank: RegisteredModel, alice: User, erin: User, charlie: User) -> None:
    said = text(page(alice, reverse("my_models")))
    assert "Your models, as model owner" in said
    assert "Tumour risk" in said
    assert "Churn" not in said
    assert "Card fraud" in text(page(erin, reverse("my_models")))


def test_deployments_by_state(bank: RegisteredModel, erin: User, rf: RequestFactory) -> None:
    for state, n in (("live", 1), ("ended", 0)):
        request = rf.get("/deployments/", {"state": state})
        request.user = erin
        assert DeploymentList.table(Deployment.objects.allowed(erin, DeploymentList.right), request).count == n


def test_the_palette_finds_versions_people_and_what_one_looked_at(bank: RegisteredModel, alice: User, gita: User, dana: User) -> None:
    version = bank.versions.get(label="1.1.0")
    there = reverse("version_detail", args=[version.pk])
    for wanted in ("1.1", version.digest[:10], "sha256:" + version.digest[:6], "tumour 1.1.0"):
        assert there in [hit.url for hit in find.versions(alice, wanted, 6)]
        assert list(find.versions(gita, wanted, 6)) == []
    assert list(find.versions(alice, "", 0)) == []
    assert [hit.title for hit in find.people(dana, "berger", 6)] == ["Bob Berger"]
    assert list(find.people(gita, "berger", 6)) == []
    change = bank.changes.order_by("-number").first()
    assert change is not None
    LastLook.note(change, alice, timezone.now(), known=False)
    assert next(group.label for group in palette.groups(alice, "")) == "Recent"
    LastLook.note(change, gita, timezone.now(), known=False)
    assert list(find.recent(gita, 6)) == []
