"""The discussion of an object is part of the record, and nobody writes where they were shown nothing."""

from __future__ import annotations

import uuid

import pytest
from django.core import signing
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from config.portal.errors import Forbidden, IllegalTransition
from stewardship.access.errors import NotVisible
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.record import FactsNeverChange
from stewardship.notices.models import Notice
from stewardship.people.models import User
from stewardship.threads.comment import LONGEST, comment
from stewardship.threads.errors import CommentRefused
from stewardship.threads.models import Comment, Status, Thread
from stewardship.threads.pages import SALT, thread_context
from stewardship.threads.rules import mentions
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SUBJECT = uuid.UUID("33333333-3333-4333-8333-333333333333")


def say(actor: User, model: RegisteredModel, text: str) -> Comment:
    return comment(actor=actor, subject_kind="change", subject_id=SUBJECT, model=model, region=model.region, text=text, link="/changes/x/")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@bob and @dana.diaz, see @bob.", ["bob", "dana.diaz"]),
        ("mail bob@bank.example", []),
        ("(@bob)", ["bob"]),
        ("@", []),
        ("no one", []),
    ],
)
def test_mentions(text: str, names: list[str]) -> None:
    assert mentions(text) == names


def test_a_comment_is_written_once_and_told_to_those_who_may_read_it(model: RegisteredModel, alice: User, bob: User, charlie: User) -> None:
    written = say(alice, model, "  @bob @charlie @alice please look\nat the recall ")
    assert written.text == "@bob @charlie @alice please look\nat the recall"
    assert written.mentioned == [str(bob.pk)]
    assert [(n.recipient, n.link, n.subject) for n in Notice.objects.filter(channel="portal")] == [
        (bob, "/changes/x/", "Alice Adler mentions you in a discussion")
    ]
    say(bob, model, "Looks good")
    assert Thread.objects.count() == 1
    assert str(Thread.objects.get()) == f"change {SUBJECT}"
    assert str(written).startswith("@bob")
    with pytest.raises(FactsNeverChange):
        written.save()


@pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST + 1)])
def test_empty_and_endless(model: RegisteredModel, alice: User, text: str) -> None:
    with pytest.raises(CommentRefused) as refusal:
        say(alice, model, text)
    assert refusal.value.field == "text"
    assert refusal.value.remedy


def test_only_who_may(model: RegisteredModel, charlie: User, gita: User, cast: Cast) -> None:
    for stranger in (charlie, gita):
        with pytest.raises(NotVisible):
            say(stranger, model, "hello")
    say(cast.users["alice"], model, "hello")
    with pytest.raises((Forbidden, NotVisible)):  # a scope of one's own does not open a foreign thread
        comment(actor=gita, subject_kind="change", subject_id=SUBJECT, model=None, region=cast.regions["jp"], text="hello")


def test_settled_and_reopened(model: RegisteredModel, alice: User, bob: User) -> None:
    say(alice, model, "Why?")
    thread = Thread.objects.get()
    thread.resolve(actor=bob, reason="answered")
    with pytest.raises(IllegalTransition):
        thread.resolve(actor=bob)
    thread.reopen(actor=bob)
    thread.resolve(actor=bob)
    say(alice, model, "Not yet")
    thread.refresh_from_db()
    assert thread.status == Status.OPEN


def test_the_part_of_a_page(model: RegisteredModel, alice: User, client: Client) -> None:
    request = RequestFactory().get("/changes/x/?tab=talk")
    request.user = alice
    context = thread_context(request, "change", SUBJECT, region=model.region, model=model)
    assert context["discussion"].comments == []
    assert "Nobody has said anything yet" in render_to_string("stewardship/threads/_thread.html", context, request)
    client.force_login(alice)
    form = {"subject": context["discussion"].sealed, "back": context["discussion"].back, "text": "<b>bold</b>\n@bob"}
    answer = client.post("/comments/", form)
    assert (answer.status_code, answer["Location"]) == (302, f"/changes/x/?tab=talk#comment-{Comment.objects.get().pk}")
    shown = render_to_string(
        "stewardship/threads/_thread.html", thread_context(request, "change", SUBJECT, region=model.region, model=model), request
    )
    assert "&lt;b&gt;bold" in shown
    assert Notice.objects.get(channel="portal").link == "/changes/x/"
    away = client.post("/comments/", form | {"back": "https://evil.example/"})["Location"]
    assert away.startswith("/changes/x/#comment-")
    assert client.get("/comments/").status_code == 405


def test_a_refused_comment_keeps_its_text(model: RegisteredModel, alice: User, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().get("/changes/x/?tab=talk")
    request.user = alice
    shown = thread_context(request, "change", SUBJECT, region=model.region, model=model)["discussion"]
    client.force_login(alice)
    form = {"subject": shown.sealed, "back": shown.back}
    long = "A long story " + "x" * LONGEST
    for text, said in (("", "required"), (long, "10000 characters")):
        answer = client.post("/comments/", form | {"text": text})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert said in page
        assert text in page
        assert "/changes/x/?tab=talk#discussion" in page, "the way back"
    monkeypatch.setattr("stewardship.threads.pages.LIFE", -1)
    late = client.post("/comments/", form | {"text": "Written for a day"})
    assert late.status_code == 422
    assert "Written for a day" in late.content.decode()
    assert not Comment.objects.exists()


def test_a_discussion_is_settled_on_its_page(model: RegisteredModel, alice: User, bob: User, client: Client) -> None:
    request = RequestFactory().get("/changes/x/")

    def shown(user: User) -> str:
        request.user = user
        context = thread_context(request, "change", SUBJECT, region=model.region, model=model)
        form.update(subject=context["discussion"].sealed, back=context["discussion"].back, status=context["discussion"].next_status)
        return render_to_string("stewardship/threads/_thread.html", context, request)

    form: dict[str, str] = {}
    client.force_login(bob)
    assert "Mark as settled" not in shown(bob), "there is nothing to settle"
    assert client.post("/comments/settle/", form).status_code == 422
    say(alice, model, "Why?")
    assert "Mark as settled" in shown(bob)
    answer = client.post("/comments/settle/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/changes/x/#discussion")
    assert Thread.objects.get().status == Status.RESOLVED
    twice = client.post("/comments/settle/", form)
    assert twice.status_code == 422, "a button pressed twice does not take itself back"
    assert "Reopen the discussion" in shown(bob)
    assert client.post("/comments/settle/", form).status_code == 302
    assert Thread.objects.get().status == Status.OPEN
    assert Thread.objects.get().history.latest().history_user == bob.pk
    assert client.post("/comments/settle/", form | {"status": "gone"}).status_code == 422


def test_a_form_that_is_not_ones_own(model: RegisteredModel, alice: User, bob: User, client: Client) -> None:
    request = RequestFactory().get("/changes/x/")
    request.user = alice
    sealed = thread_context(request, "change", SUBJECT, region=model.region, model=model)["discussion"].sealed
    client.force_login(bob)
    for forged in (sealed, "", signing.dumps(["x"], salt="another")):
        refused = client.post("/comments/", {"subject": forged, "text": "hello"})
        assert refused.status_code == 422
        assert "This form is too old, or not yours." in refused.content.decode()
    assert not Comment.objects.exists()
    assert SALT
