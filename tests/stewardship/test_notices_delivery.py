"""Each person is told once per channel, and a mail server's bad day loses nothing."""

from __future__ import annotations

import smtplib
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext_lazy

from stewardship.journal.acting import NoActor, acting
from stewardship.notices import causes
from stewardship.notices import deliver as delivering
from stewardship.notices.deliver import LEASE, PAUSES, deliver, message_id
from stewardship.notices.errors import UnknownCause
from stewardship.notices.models import Delivery, Notice
from stewardship.notices.read import mark_read, unread_count
from stewardship.notices.send import send
from stewardship.notices.tasks import deliver as task
from stewardship.people.models import User, system_user
from tests.cast import Cast

pytestmark = pytest.mark.django_db
CAUSE = uuid.UUID("22222222-2222-4222-8222-222222222222")


@pytest.fixture(autouse=True)
def wanted(settings: Any) -> Iterator[set[uuid.UUID]]:
    """The kind "test"; causes in the set are still wanted."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    still = {CAUSE}
    causes.register("test", still_wanted=lambda pk: pk in still, link=lambda pk: f"/tests/{pk}/")
    yield still
    causes._causes.pop("test")


def tell(*people: User, **changes: Any) -> list[Notice]:
    with acting(system_user(), "a test"):
        return send(
            **{"cause_kind": "test", "cause_id": CAUSE, "step": "1", "recipients": people, "subject": "Look", "body": "Here", **changes}
        )


def the_delivery() -> Delivery:
    found: Delivery = Delivery.objects.get(notice__channel="email")
    return found


def test_one_notice_a_person_and_channel_however_often_sent(alice: User, bob: User) -> None:
    assert len(tell(alice, bob, alice)) == 4
    assert tell(alice, bob) == []
    assert len(tell(alice, step="2")) == 2
    assert Notice.objects.count() == 6
    assert str(Notice.objects.first()) == "Look"


def test_the_system_and_those_who_left_are_told_nothing(alice: User) -> None:
    alice.is_active = False
    with acting(system_user(), "left"):
        alice.save()
    assert tell(alice, system_user()) == []


def test_outside_an_act_and_about_nothing(alice: User) -> None:
    with pytest.raises(NoActor):
        send(cause_kind="test", cause_id=CAUSE, step="1", recipients=[alice], subject="Look")
    with pytest.raises(UnknownCause) as refusal:
        tell(alice, cause_kind="nothing")
    assert refusal.value.field == "cause_kind"


def test_words_for_the_reader(alice: User, bob: User) -> None:
    tell(alice, bob, subject=lambda reader: f"To {reader.full_name}\nand\tothers", body=gettext_lazy("Portal"), channels=["email"])
    assert set(Notice.objects.values_list("subject", flat=True)) == {"To Alice Adler and others", "To Bob Berger and others"}


def test_the_mail(alice: User, settings: Any) -> None:
    tell(alice)
    assert deliver() == 1
    assert deliver() == 0
    (sent,) = mail.outbox
    notice = Notice.objects.get(channel="email")
    assert (sent.to, sent.subject) == (["alice@bank.example"], "Look")
    assert sent.body == f"Here\n\nOpen: {settings.BASE_URL}/tests/{CAUSE}/"
    assert sent.extra_headers["Message-ID"] == message_id(notice) == f"<{notice.pk}@localhost>"
    assert (the_delivery().status, the_delivery().attempts, the_delivery().lease_until) == ("sent", 1, None)
    assert str(the_delivery()) == f"{notice.pk} (Sent)"


def test_what_is_no_longer_wanted_is_not_sent(alice: User, wanted: set[uuid.UUID]) -> None:
    tell(alice)
    wanted.clear()
    deliver()
    assert (mail.outbox, the_delivery().status) == ([], "dropped")


def test_a_failing_server_is_tried_again_with_growing_pauses_and_given_up(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(notice: Notice) -> None:
        raise ConnectionRefusedError("no server")

    monkeypatch.setattr(delivering, "send_email", fails)
    tell(alice)
    at = timezone.now()
    for attempt, pause in enumerate(PAUSES, 1):
        assert deliver(at) == 1
        assert deliver(at) == 0  # not before its pause
        delivery = the_delivery()
        assert (delivery.status, delivery.attempts, delivery.due_at) == ("waiting", attempt, at + pause)
        at += pause
    assert deliver(at) == 1
    assert (the_delivery().status, the_delivery().error) == ("dead", "ConnectionRefusedError: no server")
    assert deliver(at + timedelta(days=30)) == 0


def test_one_bad_address_does_not_hold_up_the_others(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    real = EmailMessage.send

    def server(self: Any, **kwargs: Any) -> Any:
        if self.to == ["alice@bank.example"]:
            raise smtplib.SMTPRecipientsRefused({"alice@bank.example": (550, b"unknown")})
        return real(self, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", server)
    tell(alice, bob)
    assert deliver() == 2
    assert [sent.to for sent in mail.outbox] == [["bob@bank.example"]]
    assert "550" in Delivery.objects.get(status="dead").error


def test_a_server_that_hangs_ends_the_pass(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(self: Any, **kwargs: Any) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(EmailMessage, "send", hangs)
    tell(alice, bob)
    assert deliver() == 1, "the second message would wait as long for nothing"
    assert sorted(Delivery.objects.filter(notice__channel="email").values_list("status", "attempts")) == [("waiting", 0), ("waiting", 1)]
    monkeypatch.undo()
    assert deliver() == 1


def test_a_pass_has_an_end(alice: User, bob: User) -> None:
    tell(alice, bob)
    assert deliver(seconds=0) == 0
    assert deliver() == 2


def test_a_full_mailbox_is_tried_again(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any) -> None:
        raise smtplib.SMTPRecipientsRefused({"alice@bank.example": (452, b"full")})

    monkeypatch.setattr(EmailMessage, "send", full)
    tell(alice)
    deliver()
    assert the_delivery().status == "waiting"


def test_nobody_without_an_address(alice: User) -> None:
    alice.email = ""
    with acting(system_user(), "a test"):
        alice.save()
    tell(alice)
    deliver()
    assert (the_delivery().status, "no e-mail address" in the_delivery().error) == ("dead", True)


def test_a_killed_sender_is_taken_over_when_its_lease_is_over(alice: User) -> None:
    tell(alice)
    at = timezone.now()
    assert delivering._claim(at) is not None  # and then the process is killed
    assert deliver(at) == 0
    assert deliver(at + LEASE + timedelta(seconds=1)) == 1
    assert len(mail.outbox) == 1


def test_a_sender_that_comes_back_late_changes_nothing(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(alice)
    at = timezone.now()
    late = delivering._claim(at)
    assert late is not None
    deliver(at + LEASE + timedelta(seconds=1))
    monkeypatch.setattr(delivering, "send_email", lambda notice: 1 / 0)
    delivering._attempt(late, at)
    assert the_delivery().status == "sent"


def test_two_that_read_the_same_row(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(alice)
    at = timezone.now()
    rows = list(Delivery.objects.due(at).values("id", "attempts"))
    assert delivering._claim(at) is not None
    # the second process had read the row before the first one's update
    lost = Delivery.objects.due(at).filter(pk=rows[0]["id"], attempts=rows[0]["attempts"]).update(status="sending")
    assert lost == 0


def test_the_database_keeps_one_and_a_lease(alice: User) -> None:
    (notice, _mail) = tell(alice)
    with acting(alice, "again"), pytest.raises(IntegrityError), transaction.atomic():
        Notice(**{f.attname: getattr(notice, f.attname) for f in Notice._meta.fields if f.name != "id"}).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(status="sending")


def test_reading(alice: User, bob: User) -> None:
    first, *_ = tell(alice)
    tell(alice, step="2", channels=["portal"])
    tell(bob)
    assert unread_count(alice) == 2
    assert mark_read(alice, [first.pk]) == 1
    assert mark_read(alice) == 1
    assert mark_read(alice) == 0
    assert (unread_count(alice), unread_count(bob)) == (0, 1)
    assert task() == "2 deliveries tried"  # the e-mails of alice and bob


def test_the_page(cast: Cast, client: Client) -> None:
    alice, bob = cast.users["alice"], cast.users["bob"]
    (notice, *_) = tell(alice, subject="Drift in Germany")
    (foreign, *_) = tell(bob, subject="Not for Alice")
    assert client.get("/notices/").status_code == 302
    client.force_login(alice)
    page = client.get("/notices/").content.decode()
    assert "1 new notice" in page
    assert "Drift in Germany" in page
    assert "Not for Alice" not in page
    assert "No new notices" not in page
    answer = client.get(f"/notices/{notice.pk}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/tests/{CAUSE}/")
    assert client.get(f"/notices/{foreign.pk}/").status_code == 404
    assert unread_count(alice) == 0
    assert unread_count(bob) == 1
    tell(alice, step="2")
    assert client.post("/notices/").status_code == 302
    assert unread_count(alice) == 0
    assert "No new notices" in client.get("/notices/?state=unread").content.decode()
