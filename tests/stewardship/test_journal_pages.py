"""The record as people see it: history of an object, the stream, the open feed, the API; each only what they may see."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.keys import verifiers
from stewardship.journal.merkle import Tree, verify_inclusion
from stewardship.journal.models import Entry, JournalEvent, note_event
from stewardship.journal.note import open_checkpoint
from stewardship.journal.offline import verify_proof
from stewardship.journal.publish import latest
from stewardship.journal.sequence import settle
from stewardship.people.models import User, system_user
from stewardship.regions.models import Bound, Region
from stewardship.regions.settings import set_value
from tests.cast import Cast

HISTORY = "stewardship_historicalregion"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def germany(cast: Cast) -> Region:
    """Renamed twice, once in somebody's name, and published."""
    region = cast.regions["de"]
    for name, reason in (("Deutschland", "Its own name."), ("Germany (DE)", "Readable for all.")):
        with acting(cast.users["frank"], reason):
            region.name = name
            region.save()
    settle()
    return region


def test_the_history_says_who_when_why_and_what(cast: Cast, germany: Region) -> None:
    page = signed_in(cast.users["dana"]).get(f"/history/stewardship.region/{germany.pk}/")
    text = page.content.decode()
    assert page.status_code == 200
    assert text.index("Readable for all.") < text.index("Its own name.")
    assert str(cast.users["frank"]) in text
    for word in ("Deutschland", "Germany (DE)", "Proven", "entry "):
        assert word in text
    assert len(page.content) < 60_000


def test_a_foreign_key_is_shown_by_the_name_one_may_see(cast: Cast, germany: Region) -> None:
    with acting(SYSTEM, "Moved."):
        germany.parent = cast.regions["emea"]
        germany.save()
    text = signed_in(cast.users["dana"]).get(f"/history/stewardship.region/{germany.pk}/").content.decode()
    assert str(cast.regions["emea"]) in text
    assert "Waiting" in text  # not sequenced yet


def test_what_one_may_not_see_is_not_there(cast: Cast, germany: Region) -> None:
    assert signed_in(cast.users["alice"]).get(f"/history/stewardship.region/{germany.pk}/").status_code == 200
    for user, url in (
        ("charlie", f"/history/stewardship.region/{germany.pk}/"),
        ("gita", f"/history/stewardship.region/{germany.pk}/"),
        ("dana", f"/history/stewardship.region/{JournalEvent.objects.latest('at').pk}/"),
        ("dana", f"/history/stewardship.nothing/{germany.pk}/"),
        ("dana", f"/history/sessions.session/{germany.pk}/"),
    ):
        assert signed_in(cast.users[user]).get(url).status_code == 404, (user, url)
    assert Client().get(f"/history/stewardship.region/{germany.pk}/").status_code == 302


def test_a_long_history_comes_in_pages(cast: Cast, germany: Region) -> None:
    for number in range(30):
        with acting(SYSTEM, f"Step {number:02}."):
            germany.language = f"l{number}"
            germany.save()
    client = signed_in(cast.users["dana"])
    first = client.get(f"/history/stewardship.region/{germany.pk}/")
    assert b"Step 29." in first.content
    assert b"Step 00." not in first.content
    older = first.context["older"]
    second = client.get(f"/history/stewardship.region/{germany.pk}/?before={older}")
    assert b"Step 00." in second.content
    assert b"Its own name." in second.content
    assert client.get(f"/history/stewardship.region/{germany.pk}/?before=x").status_code == 400


def test_a_fact_has_a_page_too_and_objects_list_their_facts(cast: Cast, germany: Region) -> None:
    event = note_event("test.event", {"why": "because"}, actor=cast.users["frank"])
    settle()
    page = signed_in(cast.users["dana"]).get(f"/history/stewardship.journalevent/{event.pk}/")
    assert b"test.event" in page.content
    with acting(SYSTEM):
        Bound(parameter="test.days", combine="free", description="Days.").save()
    set_value(germany, "test.days", 3, actor=system_user())
    settle()
    text = signed_in(cast.users["dana"]).get(f"/history/stewardship.region/{germany.pk}/").content.decode()
    assert "Also on record for this" in text
    assert "/history/stewardship.setting/" in text


def test_entered_later_is_said(cast: Cast, germany: Region, settings: Any) -> None:
    settings.JOURNAL_ORIGIN = "demo.invalid"
    with acting(SYSTEM, "Long ago.", at=datetime(2024, 1, 1, tzinfo=UTC)):
        germany.language = "xx"
        germany.save()
    assert b"Entered later" in signed_in(cast.users["dana"]).get(f"/history/stewardship.region/{germany.pk}/").content


def test_a_proof_can_be_taken_away(cast: Cast, germany: Region) -> None:
    record = germany.history.latest("history_id").pk  # type: ignore[attr-defined]
    url = f"/history/stewardship.region/{germany.pk}/proof/{record}/"
    answer = signed_in(cast.users["dana"]).get(url)
    assert answer.status_code == 200
    outcome = verify_proof(answer.content.decode(), verifiers())
    assert (outcome.code, outcome.leaf["obj"]) == (0, str(germany.pk))
    assert "tlog-proof" in answer["Content-Disposition"]
    assert signed_in(cast.users["dana"]).get(f"/history/stewardship.region/{germany.pk}/proof/1/").status_code == 404
    assert signed_in(cast.users["charlie"]).get(url).status_code in (403, 404)
    event = JournalEvent.objects.earliest("at")
    fact = signed_in(cast.users["dana"]).get(f"/history/stewardship.journalevent/{event.pk}/proof/{event.pk}/")
    assert verify_proof(fact.content.decode(), verifiers()).code == 0


def test_the_stream_shows_each_person_their_own(cast: Cast, germany: Region) -> None:
    page = signed_in(cast.users["dana"]).get("/journal-entries/")
    assert page.status_code == 200
    assert "signed and unalterable" in page.content.decode()
    assert len(page.context["rows"]) == 50
    older = signed_in(cast.users["dana"]).get(f"/journal-entries/?before={page.context['older']}")
    assert older.context["rows"][0]["entry"].index < page.context["rows"][-1]["entry"].index
    assert signed_in(cast.users["dana"]).get("/journal-entries/?before=-1").status_code == 400
    mine = signed_in(cast.users["gita"]).get("/journal-entries/")
    assert mine.status_code == 200
    assert str(germany.pk) not in {row["entry"].obj for row in mine.context["rows"]}
    assert not any(row["entry"].tbl == "journal_schema" for row in mine.context["rows"])
    assert signed_in(cast.users["charlie"]).get("/journal-entries/").status_code == 403


def test_an_empty_journal_says_so(cast: Cast) -> None:
    page = signed_in(cast.users["dana"]).get("/journal-entries/")
    assert b"no signed checkpoint yet" in page.content
    assert Client().get("/journal/checkpoint").status_code == 503
    assert Client().get("/journal/tile/0/000").status_code == 404


def test_anybody_can_fetch_checkpoint_and_tiles(cast: Cast, germany: Region) -> None:
    note = Client().get("/journal/checkpoint")
    head = open_checkpoint(note.content.decode(), verifiers())
    assert "no-cache" in note["Cache-Control"]

    def fetch(level: int, index: int, width: int) -> bytes:
        url = f"/journal/tile/{level}/{index:03}" + (f".p/{width}" if width < 256 else "")
        answer = Client().get(url)
        assert "immutable" in answer["Cache-Control"]
        return answer.content

    tree = Tree(head.size, fetch)
    assert tree.root() == head.root
    entry = Entry.objects.get(tbl=HISTORY, hid=str(germany.history.latest("history_id").pk))  # type: ignore[attr-defined]
    verify_inclusion(bytes(entry.leaf_hash), entry.index, head.size, tree.inclusion(entry.index), head.root)
    for url in (
        "/journal/tile/0/999",
        "/journal/tile/0/000.p/257",
        "/journal/tile/9/000",
        "/journal/tile/0/x001/000",
        "/journal/tile/entries/999",
    ):
        assert Client().get(url).status_code in (302, 404), url
    assert Client().post("/journal/checkpoint").status_code == 405


def test_entry_bundles_are_for_auditors_of_everything(cast: Cast, germany: Region) -> None:
    newest = latest()
    assert newest is not None
    width = newest.size % 256
    url = f"/journal/tile/entries/{newest.size // 256:03}.p/{width}"
    data = signed_in(cast.users["dana"]).get(url).content
    leaves = []
    while data:
        length = int.from_bytes(data[:2])
        leaves.append(json.loads(data[2 : 2 + length]))
        data = data[2 + length :]
    assert len(leaves) == width
    assert signed_in(cast.users["gita"]).get(url).status_code == 403
    assert Client().get(url).status_code == 302
    assert signed_in(cast.users["dana"]).get("/journal/tile/entries/900").status_code == 404


def test_the_api_gives_entries_in_order_and_only_visible_ones(cast: Cast, germany: Region) -> None:
    def walk(name: str) -> list[dict[str, Any]]:
        client, url, found = signed_in(cast.users[name]), "/api/v1/journal/entries/", []
        while url:
            answer = client.get(url)
            assert answer.status_code == 200
            body = answer.json()
            found += body["results"]
            url = f"/api/v1/journal/entries/?cursor={body['next']}" if body["next"] is not None else ""
        return found

    everything = walk("dana")
    assert [entry["index"] for entry in everything] == list(range(Entry.objects.count()))
    mine = walk("gita")
    assert 0 < len(mine) < len(everything)
    regions = set(Region.objects.ids_below([cast.regions["jp"].pk]))
    assert {entry["object"] for entry in mine if entry["table"] == HISTORY} <= {str(key) for key in regions}
    client = signed_in(cast.users["dana"])
    for cursor in ("x", "-1", "1" * 19, "١"):
        assert client.get("/api/v1/journal/entries/", {"cursor": cursor}).status_code == 400
    assert signed_in(cast.users["charlie"]).get("/api/v1/journal/entries/").status_code == 403
    assert Client().get("/api/v1/journal/entries/").status_code in (401, 403)


def test_the_api_gives_a_proof_of_what_one_may_see(cast: Cast, germany: Region) -> None:
    record = str(germany.history.latest("history_id").pk)  # type: ignore[attr-defined]
    client = signed_in(cast.users["dana"])
    answer = client.get("/api/v1/journal/proof/", {"table": HISTORY, "record": record})
    assert verify_proof(answer.content.decode(), verifiers()).code == 0
    assert client.get("/api/v1/journal/proof/", {"table": HISTORY}).status_code == 400
    assert client.get("/api/v1/journal/proof/", {"table": HISTORY, "record": "\x00"}).status_code == 400
    assert client.get("/api/v1/journal/proof/", {"table": HISTORY, "record": "99999"}).status_code == 404
    assert signed_in(cast.users["gita"]).get("/api/v1/journal/proof/", {"table": HISTORY, "record": record}).status_code in (403, 404)


def test_the_configuration_screens_only_read(cast: Cast, germany: Region, rf: Any) -> None:
    for model in (Entry, JournalEvent):
        screen = admin.site._registry[model]
        for name, sees in (("dana", True), ("gita", False)):
            request = rf.get("/")
            request.user = cast.users[name]
            assert screen.has_module_permission(request) is sees
            assert not any(may(request) for may in (screen.has_add_permission, screen.has_change_permission, screen.has_delete_permission))


def test_pages_ask_few_questions(cast: Cast, germany: Region, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.portal.registry.Nav.__iter__", lambda self: iter(()))  # the sidebar's own counts are tested where it lives
    client = signed_in(cast.users["dana"])
    for url in ("/journal-entries/", f"/history/stewardship.region/{germany.pk}/"):
        with django_assert_max_num_queries(12):
            assert client.get(url).status_code == 200
