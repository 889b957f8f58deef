"""The inbox: one's own things by urgency, what others owe apart, and a count in the sidebar that agrees."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.portal import shell
from config.portal.registry import nav
from governance.approvals.models import Requirement
from governance.approvals.submit import submit
from governance.portfolio import waiting
from governance.portfolio.rules import Bucket
from stewardship.actions.open import open_action
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, full_draft, policy, route, with_evidence
from tests.governance.test_portfolio_cockpit import page, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(cast: Cast, model: RegisteredModel):  # type: ignore[no-untyped-def]
    policy(cast)
    route(cast)
    version = make_version(model)
    with_evidence(version)
    made = full_draft(cast, model, version)
    submit(made, actor=cast.users["alice"])
    return made


def counted(person: User) -> int:
    """What the sidebar says."""
    return shell.waiting([entry for entry in nav if entry.url_name == "inbox"], person)["inbox"]


def test_nothing_waits_and_the_page_says_what_will(alice: User, charlie: User) -> None:
    said = text(page(alice, "/"))
    assert "Nothing waits for you" in said
    assert "Look at the models" in said
    assert "Look at the models" not in text(page(charlie, "/"))


def test_a_decision_stands_under_its_deadline(change, bob: User, alice: User) -> None:  # type: ignore[no-untyped-def]
    html = page(bob, "/")
    assert "1 thing waits for you" in html
    assert change.get_absolute_url() in html
    assert "(1) Inbox" in html
    said = text(page(alice, "/"))
    assert "Nothing waits for you" in said
    assert "Next to come back to you" in said
    assert "Waiting on others" in said
    assert "waits for validator" in said


def test_what_is_over_stands_first(change, bob: User) -> None:  # type: ignore[no-untyped-def]
    requirement = Requirement.objects.asked().get()
    with acting(system_user(), "A deadline passes"):
        requirement.due_at = timezone.now() - timedelta(hours=3)
        requirement.save()
    said = text(page(bob, "/"))
    assert "1 thing waits for you, 1 overdue" in said
    assert "Overdue" in said


def test_a_deadline_is_as_near_on_every_page(change, bob: User) -> None:  # type: ignore[no-untyped-def]
    requirement = Requirement.objects.asked().select_related("stage").get()
    with acting(system_user(), "Time passes"):
        requirement.stage.started_at = timezone.now() - timedelta(days=9)
        requirement.stage.save()
        requirement.due_at = timezone.now() + timedelta(hours=30)
        requirement.save()
    for path in ("/", "/portfolio/", change.get_absolute_url()):
        chips = re.findall(r'<span class="chip (\w+)"[^>]*>(?:(?!</span>).)*hours left', page(bob, path), re.S)
        assert chips == ["watch"], path


def test_the_count_of_the_sidebar_agrees_with_the_list(change, cast: Cast, bob: User, dana: User, alice: User) -> None:  # type: ignore[no-untyped-def]
    for n in range(3):
        open_action(
            actor=dana,
            title=f"Write it up {n}",
            owner=bob,
            verifier=dana,
            region=cast.regions["de"],
            due_at=timezone.now() + timedelta(days=n, hours=1),
        )
    for person in (bob, dana, alice):
        assert counted(person) == waiting.Inbox(person, timezone.now()).count()
    assert counted(bob) == 4
    decides(change, bob, outcome="return", comment="Say more.")
    assert counted(bob) == 3
    assert counted(alice) == waiting.Inbox(alice, timezone.now()).count() == 1


def test_a_hundred_things_cost_no_more_queries(cast: Cast, bob: User, dana: User) -> None:
    for n in range(100):
        open_action(
            actor=dana, title=f"Thing {n}", owner=bob, verifier=dana, region=cast.regions["de"], due_at=timezone.now() + timedelta(days=n)
        )
    html = page(bob, "/")
    assert html.count("data-row") == 100


def test_a_poll_draws_nothing_while_nothing_changed(change, bob: User) -> None:  # type: ignore[no-untyped-def]
    client = Client()
    client.force_login(bob)
    look = waiting.Inbox(bob, timezone.now()).look
    headers = {"HX-Request": "true"}
    assert client.get(f"/?seen={look}", headers=headers).status_code == 204
    assert client.get("/?seen=other", headers=headers).status_code == 200


def test_the_sidebar_holds_every_place_and_configuration_only_for_those_who_may(alice: User, frank: User, bob: User) -> None:
    configuration = next(entry for entry in nav if entry.url_name == "admin:index")
    assert configuration.shown is not None
    assert configuration.shown(frank)
    assert not configuration.shown(bob)
    html = page(frank, "/")
    for name in (
        "inbox",
        "my_models",
        "portfolio",
        "model_list",
        "change_list",
        "alert_list",
        "run_list",
        "gap_list",
        "report_list",
        "journal_list",
        "admin:index",
    ):
        assert f'href="{reverse(name)}"' in html, name
    assert f'href="{reverse("admin:index")}"' not in page(bob, "/")


def test_one_statement_counts(change, bob: User) -> None:  # type: ignore[no-untyped-def]
    counted(bob)  # reads the grants once
    with CaptureQueriesContext(connection) as queries:
        assert counted(bob) == 1
    assert len(queries) == 1
    assert waiting.Inbox(bob, timezone.now()).count(Bucket.OVERDUE) == 0
