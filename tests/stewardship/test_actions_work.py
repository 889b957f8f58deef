"""An action is done with evidence and verified by somebody else."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from config.portal.errors import Forbidden, IllegalTransition
from stewardship.access.errors import NotVisible
from stewardship.actions.errors import ActionRefused, OwnWork
from stewardship.actions.inbox import actions_for
from stewardship.actions.models import TRANSITIONS, Action, Status
from stewardship.actions.open import open_action
from stewardship.actions.rights import ActionRight
from stewardship.actions.wiring import still_open
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting
from stewardship.notices.models import Notice
from stewardship.people.models import User, system_user
from stewardship.roles.matrix import set_rights
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def opened(cast: Cast, **changes: Any) -> Action:
    return open_action(
        **{
            "actor": cast.users["bob"],
            "title": "Retrain on the new scanner",
            "owner": cast.users["alice"],
            "due_at": timezone.now() + timedelta(days=3),
            "region": cast.regions["de"],
            **changes,
        }
    )


def test_opened_told_done_verified(cast: Cast, alice: User, bob: User, dana: User) -> None:
    action = opened(cast, verifier=dana)
    assert set(Notice.objects.values_list("recipient__username", "channel")) == {("alice", "portal"), ("alice", "email")}
    with pytest.raises(ActionRefused):
        action.complete(actor=alice, evidence="  ")
    action.complete(actor=alice, evidence="Run 42, recall 0.91")
    assert (action.status, action.done_by) == (Status.DONE, alice)
    assert not still_open(action.pk)
    with pytest.raises(OwnWork):
        action.verify(actor=alice)
    action.refresh_from_db()
    action.verify(actor=dana, comment="seen")
    action.refresh_from_db()
    assert (action.status, action.verifier, action.tone) == (Status.VERIFIED, dana, "good")
    with pytest.raises(IllegalTransition):
        action.complete(actor=alice, evidence="again")
    statuses = [row.status for row in action.history.order_by("history_id")]
    assert statuses[0] == Status.OPEN
    assert all(Status(b) in TRANSITIONS[Status(a)] for a, b in pairwise(statuses))


def test_reopened_and_cancelled(cast: Cast, alice: User, bob: User, dana: User) -> None:
    action = opened(cast)
    action.complete(actor=alice, evidence="done")
    with pytest.raises(ActionRefused):
        action.reopen(actor=dana, reason="")
    action.reopen(actor=dana, reason="The test still fails")
    assert (action.status, action.done_by) == (Status.OPEN, None)
    with pytest.raises(ActionRefused):
        action.cancel(actor=bob, reason="")
    action.cancel(actor=bob, reason="The model is retired")
    assert action.status == Status.CANCELLED


def test_whoever_verifies_does_not_complete(cast: Cast, bob: User) -> None:
    action = opened(cast, verifier=bob)
    with pytest.raises(OwnWork):
        action.complete(actor=bob, evidence="I did it myself")
    action.refresh_from_db()
    assert action.status == Status.OPEN


@pytest.mark.parametrize(("field", "value"), [("title", "  "), ("owner", "system")])
def test_what_cannot_be_opened(cast: Cast, field: str, value: str) -> None:
    with pytest.raises(ActionRefused) as refusal:
        opened(cast, **{field: system_user() if value == "system" else value})
    assert refusal.value.field == field


def test_own_verifier_is_refused_by_code_and_database(cast: Cast, alice: User) -> None:
    with pytest.raises(ActionRefused):
        opened(cast, verifier=alice)
    action = opened(cast)
    action.verifier = alice
    with acting(alice, "a test"), pytest.raises(IntegrityError), transaction.atomic():
        action.save()


def test_who_may(cast: Cast, model: RegisteredModel, charlie: User, gita: User) -> None:
    with pytest.raises(NotVisible):
        opened(cast, actor=charlie)
    action = opened(cast, owner=charlie, model=model)
    assert Action.objects.allowed(charlie, Action.view_right).get() == action  # one's own is always seen
    action.complete(actor=charlie, evidence="done")
    with pytest.raises(NotVisible):
        Action.objects.get(pk=action.pk).complete(actor=gita, evidence="me")
    second = opened(cast, owner=charlie)
    with pytest.raises((Forbidden, NotVisible)):
        second.cancel(actor=charlie, reason="I do not want to")


def test_inbox(cast: Cast, alice: User, bob: User) -> None:
    action = opened(cast, verifier=bob, due_at=timezone.now() - timedelta(days=1))
    now = timezone.now()
    assert list(Action.objects.overdue(now)) == [action]
    assert str(action) == action.title
    assert [(item.title, item.due, item.waiting_on) for item in actions_for(alice, now)] == [(action.title, action.due_at, "")]
    assert [item.waiting_on for item in actions_for(bob, now)] == ["Alice Adler"]
    action.complete(actor=alice, evidence="done")
    assert (len(list(actions_for(alice, now))), len(list(actions_for(bob, now)))) == (0, 1)
    assert "Alice Adler" in str(next(iter(actions_for(bob, now))).meta)


def test_pages(cast: Cast, client: Client, alice: User, bob: User, dana: User, charlie: User) -> None:
    client.force_login(bob)
    due = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    form = {"title": "Check the scanner", "owner": "alice", "due_at": due, "region": cast.regions["de"].pk}
    assert client.get("/actions/new/").status_code == 200
    for wrong in ({"owner": "nobody"}, {"model": "no-such"}, {"due_at": "soon"}, {"verifier": "alice"}, {"region": cast.regions["jp"].pk}):
        assert client.post("/actions/new/", form | wrong).status_code == 422, wrong
    assert client.post("/actions/new/", form).status_code == 302
    action = Action.objects.get()
    base = f"/actions/{action.pk}/"
    assert "Check the scanner" in client.get("/actions/?status=open").content.decode()
    client.force_login(charlie)
    assert client.get(base).status_code == 404
    assert "Check the scanner" not in client.get("/actions/").content.decode()
    client.force_login(alice)
    assert "1 action waits for you" in client.get("/actions/").content.decode()
    assert "Mark as done" in client.get(base).content.decode()
    assert client.post(f"{base}complete/", {"evidence": ""}).status_code == 422
    assert client.post(f"{base}complete/", {"evidence": "Run 42"}).status_code == 302
    assert client.post(f"{base}verify/").status_code == 403  # her own work
    assert "Verify</button>" not in client.get(base).content.decode()
    client.force_login(dana)
    assert "Verify</button>" in client.get(base).content.decode()
    assert client.post(f"{base}reopen/", {"reason": "The test fails"}).status_code == 302
    client.force_login(alice)
    client.post(f"{base}complete/", {"evidence": "Run 43"})
    client.force_login(dana)
    assert client.post(f"{base}verify/").status_code == 302
    assert "verified by Dana Diaz" in client.get(base).content.decode()
    assert client.post(f"{base}cancel/", {"reason": "late"}).status_code == 422


def test_cancelling_is_offered_to_exactly_those_who_may(cast: Cast, client: Client, charlie: User, bob: User) -> None:
    """The owner as such does not cancel; who opens actions here does, also without the right to close them."""
    action = opened(cast, owner=charlie)
    rights = cast.roles["validator"].decision_rights.exclude(right=ActionRight.CLOSE).values_list("right", "raci")
    set_rights(cast.roles["validator"], dict(rights), actor=system_user())
    for person, offered in ((charlie, False), (bob, True)):
        client.force_login(person)
        page = client.get(f"/actions/{action.pk}/").content.decode()
        assert ("Cancel this action" in page) == offered, person
        assert (client.post(f"/actions/{action.pk}/cancel/", {"reason": "Not needed"}).status_code == 302) == offered
    assert "Cancel this action" not in client.get(f"/actions/{action.pk}/").content.decode()


def test_the_database_wants_evidence(cast: Cast) -> None:
    action = opened(cast)
    action.status = Status.DONE
    with acting(system_user(), "a test"), pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
        action.save()
