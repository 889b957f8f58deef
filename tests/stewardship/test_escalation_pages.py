"""The run's page answers first who was called and where it goes next; its buttons do what the verbs do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stewardship.escalation import story
from stewardship.escalation.fire import fire_due
from stewardship.escalation.inbox import overdue_problem, runs_for
from stewardship.escalation.models import Run, Status, Timer
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User, system_user
from stewardship.roles.models import RoleAssignment
from tests.cast import Cast
from tests.stewardship.calls import START, Things, at, begin, fire, make_path
from tests.stewardship.calls import things as things

pytestmark = pytest.mark.django_db


def told(run: Run, seconds: float) -> story.Story:
    return story.tell(Run.objects.get(pk=run.pk), START + timedelta(seconds=seconds))


def test_the_answer_first(cast: Cast, things: Things, ivan: User, kate: User) -> None:
    make_path(cast, "responder", "risk", "executive@root", seconds=3600)
    run = begin(cast)
    assert told(run, 0).answer == "Nobody has been called yet. At 3 Mar 2031, 09:00 UTC it goes to Ivan Ilic (operational responder)."
    fire()
    assert told(run, 720).answer == (
        "Ivan Ilic was called 12 minutes ago as operational responder. At 3 Mar 2031, 10:00 UTC it goes to Kate Klein (risk officer)."
    )
    assert [(line.role, line.people, str(line.chip)) for line in told(run, 720).steps] == [
        ("operational responder", "Ivan Ilic", "must answer"),
        ("risk officer", "Kate Klein", "next"),
        ("executive", "", "later"),
    ]
    fire(3600)
    fire(7200)
    assert "Without an answer the path ends at 3 Mar 2031, 12:00 UTC." in told(run, 7200).answer
    assert [str(line.chip) for line in told(run, 7200).steps] == ["no answer", "no answer", "must answer"]
    fire(10800)
    assert told(run, 10800 + 3 * 3600).answer == "Nobody answered: 3 calls were made, and the path ended 3 hours ago. It is open as a gap."
    with at(START + timedelta(seconds=20000)):
        Run.objects.get(pk=run.pk).acknowledge(actor=kate)
    assert told(run, 20000).answer == "Kate Klein acknowledged it just now. Nobody else is called."
    with at(START + timedelta(seconds=20000)):
        Run.objects.get(pk=run.pk).stop(actor=ivan, reason="A false alarm")
    assert told(run, 20000 + 50 * 3600).answer == "Stopped by Ivan Ilic 2 days ago: A false alarm"
    assert [event.verb for event in told(run, 20000).events][-1] == "started the path “Test path”"


def test_vacancies_and_repetitions(cast: Cast, things: Things) -> None:
    make_path(cast, "responder", "risk", repeats=None)
    for assignment in RoleAssignment.objects.filter(role=cast.roles["responder"]):
        assignment.end(actor=system_user(), reason="a test")
    run = begin(cast)
    assert "At 3 Mar 2031, 09:00 UTC it goes to operational responder." in told(run, 0).answer
    fire()
    assert [str(line.chip) for line in told(run, 0).steps] == ["vacant", "again next"]
    for assignment in RoleAssignment.objects.filter(role=cast.roles["risk"]):
        assignment.end(actor=system_user(), reason="a test")
    fire(60)
    assert told(run, 60).answer.startswith("Nobody holds the role risk officer, so the next step was taken at once.")


def test_several_people(cast: Cast) -> None:
    assert story._list(["Ann", "Bob", "Cid"]) == "Ann, Bob and Cid"


def test_the_page(
    cast: Cast, things: Things, client: Client, model: RegisteredModel, ivan: User, bob: User, charlie: User, gita: User
) -> None:
    make_path(cast, "responder", "risk", seconds=3600)
    run = begin(cast, timezone.now(), region="de", model=model, label="Drift in Germany")
    fire_due()
    url = f"/escalations/{run.pk}/"
    for stranger in (charlie, gita):
        client.force_login(stranger)
        assert client.get(url).status_code == 404
    client.force_login(charlie)
    assert client.get("/escalations/").status_code == 403
    client.force_login(ivan)
    assert [item.title for item in runs_for(ivan, timezone.now())] == ["Drift in Germany"]
    assert list(runs_for(bob, timezone.now())) == []
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    page = answer.content.decode()
    assert len(queries) <= 20, "\n".join(query["sql"][:60] + "…" + query["sql"][query["sql"].find(" FROM") :][:150] for query in queries)
    assert len(answer.content) < 60_000
    assert "Ivan Ilic was called just now" in page
    assert f"/things/{run.subject_id}/" in page
    assert "style=" not in page
    assert "Drift in Germany" in client.get("/escalations/?status=running").content.decode()
    assert client.post(f"{url}call/", {"reason": ""}).status_code == 422
    assert client.post(f"{url}call/", {"reason": "Patients are affected"}).status_code == 302
    assert "Kate Klein was called just now" in client.get(url).content.decode()
    assert client.post(f"{url}acknowledge/").status_code == 302
    assert "Ivan Ilic acknowledged it just now" in client.get(url).content.decode()
    assert client.post(f"{url}acknowledge/").status_code == 422  # somebody was faster
    assert client.get(f"{url}stop/").status_code == 200
    assert client.post(f"{url}stop/", {"reason": "A false alarm"}).status_code == 302
    run.refresh_from_db()
    assert run.status == Status.STOPPED


def test_a_subject_of_a_slice_that_is_gone(cast: Cast, things: Things, client: Client, ivan: User) -> None:
    make_path(cast, "responder")
    run = begin(cast, timezone.now())
    Run.objects.get(pk=run.pk)
    from stewardship.escalation import subjects

    found = subjects._subjects.pop("thing")
    try:
        client.force_login(ivan)
        assert client.get(f"/escalations/{run.pk}/").status_code == 200
    finally:
        subjects._subjects["thing"] = found


def test_a_stuck_tick_is_seen(cast: Cast, things: Things) -> None:
    make_path(cast, "responder")
    begin(cast, timezone.now())
    assert overdue_problem() is None
    Timer.objects.update(due_at=timezone.now() - timedelta(minutes=3))
    assert overdue_problem() == "1 escalation timers are more than 2 minutes late"


@pytest.mark.parametrize("who", ["frank", "bob", "charlie"])
def test_configuration(cast: Cast, things: Things, client: Client, who: str) -> None:
    path = make_path(cast, "responder", "risk")
    run = begin(cast, timezone.now())
    client.force_login(cast.users[who])
    urls = [
        "/stewardship/path/",
        f"/stewardship/path/{path.pk}/change/",
        "/stewardship/run/",
        f"/stewardship/run/{run.pk}/change/",
        "/stewardship/gap/",
        "/stewardship/action/",
        "/stewardship/thread/",
        "/stewardship/signature/",
        "/stewardship/delivery/",
    ]
    answers = [client.get(url).status_code for url in urls]
    if who == "charlie":
        assert set(answers) <= {302, 403}
    else:
        assert answers[:-1] == [200] * (len(urls) - 1)
        assert answers[-1] == 403  # deliveries: for the whole organisation only
