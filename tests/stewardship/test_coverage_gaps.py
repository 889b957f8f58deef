"""Where nobody answers is found, opened once, called about, and closed when somebody does."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.portal.errors import IllegalTransition
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.coverage.errors import GapRefused
from stewardship.coverage.gaps import open_gap
from stewardship.coverage.inbox import gaps_for
from stewardship.coverage.models import Gap, Kind, Status
from stewardship.coverage.sweep import Swept, sweep
from stewardship.coverage.tasks import look
from stewardship.escalation.models import Run
from stewardship.escalation.models import Status as RunStatus
from stewardship.inventory.models import RegisteredModel, Stage
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.roles.assign import assign
from stewardship.roles.matrix import set_rights
from stewardship.roles.models import RoleAssignment
from tests.cast import Cast, make_model
from tests.stewardship.calls import START, Things, begin, fire, make_path
from tests.stewardship.calls import things as things

pytestmark = pytest.mark.django_db


def gap(cast: Cast, **changes: Any) -> Gap:
    return open_gap(
        **{
            "kind": "drill",
            "subject_kind": "drill",
            "subject_id": uuid.UUID(int=7),
            "label": "Nobody looks after this",
            "region": cast.regions["eu"],
            "actor": system_user(),
            **changes,
        }
    )


def vacate(cast: Cast, *roles: str) -> None:
    for assignment in RoleAssignment.objects.filter(role__in=[cast.roles[role] for role in roles], valid_until=None):
        assignment.end(actor=system_user(), reason="a test")


def test_open_once_while_open(cast: Cast) -> None:
    first = gap(cast)
    assert gap(cast) == first
    assert gap(cast, region=cast.regions["jp"]) != first
    first.close(actor=cast.users["frank"], reason="Ivan looks after it")
    again = gap(cast)
    assert again != first
    first.refresh_from_db()
    assert (first.status, first.kind_label, str(first), first.tone) == (Status.CLOSED, "drill", "Nobody looks after this", "neutral")


def test_closing_asks_for_a_reason_and_the_right(cast: Cast) -> None:
    found = gap(cast)
    with pytest.raises(GapRefused):
        found.close(actor=cast.users["frank"], reason=" ")
    with pytest.raises(Forbidden):
        found.close(actor=cast.users["bob"], reason="me")
    with pytest.raises(NotVisible):
        found.close(actor=cast.users["charlie"], reason="me")
    found.close(actor=cast.users["frank"], reason="Ivan")
    with pytest.raises(IllegalTransition):
        found.close(actor=cast.users["frank"], reason="Ivan")


def test_a_gap_calls_people_where_a_path_says_so_and_sends_them_away(cast: Cast) -> None:
    make_path(cast, "executive@root", region="global", kind="gap")
    found = gap(cast)
    run = Run.objects.get(subject_kind="gap", subject_id=found.pk)
    assert (run.status, run.label) == (RunStatus.RUNNING, found.label)
    found.close(actor=cast.users["frank"], reason="Ivan")
    run.refresh_from_db()
    assert run.status == RunStatus.STOPPED


def test_a_vacant_step_opens_a_gap_of_its_own_which_ends(cast: Cast, things: Things) -> None:
    make_path(cast, "responder", "executive@root")
    make_path(cast, "responder", "risk", kind="gap")
    vacate(cast, "responder", "risk")
    begin(cast)
    for seconds in range(0, 600, 30):
        fire(seconds)
    labels = sorted(Gap.objects.values_list("label", flat=True))
    assert labels[:2] == ["Nobody answered: Drift", "Nobody holds the role operational responder in EU"]
    assert labels[2:] == ["Nobody holds the role risk officer in EU"]
    assert not Run.objects.filter(status=RunStatus.RUNNING).exists()
    assert Gap.objects.filter(kind=Kind.UNANSWERED).count() == 1


def test_models_that_nobody_answers_for(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    assert sweep() == Swept(0, 0)
    gita = cast.users["gita"]
    gita.is_active = False
    with acting(system_user(), "left"):
        gita.save()
    assert sweep() == Swept(1, 0)
    assert sweep() == Swept(0, 0)
    found = Gap.objects.get()
    assert (found.kind, found.model, found.label) == (Kind.NO_ACCOUNTABLE, foreign_model, "Nobody is accountable for Credit line")
    assign(actor=system_user(), role="owner", user=cast.users["frank"], model=foreign_model, rationale="a test")
    assert sweep() == Swept(0, 1)
    assert look() == "0 gaps opened, 0 closed"


def test_a_person_who_left_hides_nobody(cast: Cast, model: RegisteredModel) -> None:
    """Alice owns Germany; the model's own owner leaves, and Germany's does not step in silently."""
    assign(actor=system_user(), role="owner", user=cast.users["frank"], model=model, rationale="a test")
    cast.users["frank"].is_active = False
    with acting(system_user(), "left"):
        cast.users["frank"].save()
    assert sweep() == Swept(1, 0)


def test_a_retired_model_needs_nobody(cast: Cast, model: RegisteredModel) -> None:
    vacate(cast, "owner")
    assert sweep() == Swept(1, 0)
    model.move_to(Stage.RETIRED, actor=system_user(), reason="a test")
    assert sweep() == Swept(0, 1)


def test_roles_that_paths_would_call(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    path = make_path(cast, "responder", "owner@model", "executive@root", region="global", kind="gap")
    # nobody is a responder in Japan, where there is a model; France has none, so nobody is missed there
    assert sweep() == Swept(1, 0)
    found = Gap.objects.get()
    assert (found.kind, found.region, found.role) == (Kind.VACANT_ROLE, cast.regions["jp"], cast.roles["responder"])
    assign(actor=system_user(), role="responder", user=cast.users["ivan"], region=cast.regions["jp"], rationale="a test")
    assert sweep() == Swept(0, 1)
    vacate(cast, "owner")
    assert sweep().opened == 4  # the role in Germany and Japan, and two models without anybody accountable
    assign(actor=system_user(), role="owner", user=cast.users["alice"], model=model, rationale="a test")
    assert sweep() == Swept(0, 2)
    with acting(system_user(), "a test"):
        for step in path.steps.all():
            step.delete()
    assert sweep() == Swept(0, 1)  # no longer needed; the Japanese model still has nobody
    assert Gap.objects.open().get().kind == Kind.NO_ACCOUNTABLE


def test_the_head_office_only_at_the_root(cast: Cast) -> None:
    make_path(cast, "executive@root", region="eu", kind="gap")
    vacate(cast, "executive")
    assert sweep() == Swept(1, 0)
    assert Gap.objects.get().region == cast.regions["global"]


def test_an_unanswered_call_is_answered_later(cast: Cast, things: Things, ivan: User) -> None:
    make_path(cast, "responder")
    run = begin(cast)
    for seconds in (0, 60, 120):
        fire(seconds)
    found = Gap.objects.get(kind=Kind.UNANSWERED)
    assert sweep(START).closed == 0
    Run.objects.get(pk=run.pk).acknowledge(actor=ivan)
    assert sweep(START + timedelta(hours=1)).closed == 1
    found.refresh_from_db()
    assert found.history.first().history_change_reason == "Somebody has answered."


def test_settled_and_configured(cast: Cast, things: Things) -> None:
    subject, other = uuid.uuid4(), uuid.uuid4()
    gap(cast, kind=Kind.UNANSWERED, subject_kind="thing", subject_id=subject)
    gap(cast, kind=Kind.NO_PATH, subject_kind="thing", subject_id=other)
    gap(cast, kind=Kind.NO_PATH, subject_kind="nothing registered")
    gap(cast)
    assert sweep() == Swept(0, 0)
    things.settled.add(subject)
    assert sweep() == Swept(0, 1)
    make_path(cast, "executive@root", region="global")
    assert sweep() == Swept(0, 1)
    assert Gap.objects.open().count() == 2  # of kinds that others close


def test_inbox_and_pages(cast: Cast, client: Client) -> None:
    found = gap(cast, role=cast.roles["responder"])
    gap(cast, region=cast.regions["jp"], label="Far away")
    frank, bob, charlie = (cast.users[name] for name in ("frank", "bob", "charlie"))
    assert [item.title for item in gaps_for(frank, timezone.now())] == ["Nobody looks after this"]
    assert list(gaps_for(bob, timezone.now())) == list(gaps_for(charlie, timezone.now())) == []
    client.force_login(charlie)
    assert client.get("/gaps/").status_code == 403
    assert client.get(f"/gaps/{found.pk}/").status_code == 404
    client.force_login(bob)
    page = client.get("/gaps/").content.decode()
    assert "1 open gap" in page
    assert "Far away" not in page
    assert "Close the gap" not in client.get(f"/gaps/{found.pk}/").content.decode()
    assert client.get(f"/gaps/{found.pk}/close/").status_code == 403
    client.force_login(frank)
    assert "no escalation path for gaps" in client.get(f"/gaps/{found.pk}/").content.decode()
    assert client.post(f"/gaps/{found.pk}/close/", {"reason": ""}).status_code == 422
    assert client.get(f"/gaps/{found.pk}/close/").status_code == 200
    assert client.post(f"/gaps/{found.pk}/close/", {"reason": "Ivan looks after it"}).status_code == 302
    assert "Closed on" in client.get(f"/gaps/{found.pk}/").content.decode()
    assert "No open gaps" in client.get("/gaps/").content.decode()


def test_the_page_says_how_the_calls_stand(cast: Cast, client: Client) -> None:
    """Never that somebody is called when nobody is any more, nor that no path is configured to who may not see the run."""
    late = gap(cast)
    make_path(cast, "executive@root", region="global", kind="gap")
    found = gap(cast, subject_id=uuid.uuid4())
    run = Run.objects.get(subject_id=found.pk)
    frank, erin = cast.users["frank"], cast.users["erin"]

    def said(about: Gap = found) -> str:
        return client.get(f"/gaps/{about.pk}/").content.decode()

    client.force_login(frank)
    assert "was configured after it had been found" in said(late)
    assert "Somebody is being called about this." in said()
    run.acknowledge(actor=erin)
    assert "Erin Engel has taken this on." in said()
    with acting(system_user(), "time passes"):
        run.call_on(0, START)
        run.end()
    assert "nobody answered" in said()
    run.refresh_from_db()
    run.settle(actor=system_user(), reason="a test")
    assert "were stopped" in said()
    assert run.get_absolute_url() in said()
    set_rights(cast.roles["regional-admin"], {"coverage:gap:view": "R"}, actor=system_user())
    assert "which you may not see" in said()
    assert run.get_absolute_url() not in said()


def test_a_model_made_meanwhile(cast: Cast) -> None:
    vacate(cast, "owner")
    model = make_model(cast, "late-one", "fr")
    assert sweep().opened == 1
    assert Gap.objects.get().model == model
