"""Lists: every row once, bad input said, exports that no spreadsheet runs."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from config.portal import keyset
from config.portal.chips import Chip
from config.portal.tables import safe
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region
from tests.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.portal.example")]


def _names(page: str) -> list[str]:
    return re.findall(r'<a href="/example/[0-9a-f-]{36}/">([^<]+)</a>', page)


def _link(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found.group(1).replace("&amp;", "&") if found else ""


@pytest.fixture
def erin_in(client: Client, erin: User) -> Client:
    client.force_login(erin)
    return client


def test_walking_forwards_and_back_shows_every_row_once(erin_in: Client) -> None:
    expected = list(Region.objects.order_by("language", "name", "pk").values_list("name", flat=True))
    address, pages = "/example/", []
    while address:
        page = erin_in.get(address).content.decode()
        pages.append(_names(page))
        last, address = page, _link(page, "next")
    assert [name for names in pages for name in names] == expected
    back = [_names(last)]
    while address := _link(last, "prev"):
        last = erin_in.get(address).content.decode()
        back.insert(0, _names(last))
    assert back == pages


def test_pages_stay_true_while_rows_arrive(erin_in: Client, cast: Cast) -> None:
    first = erin_in.get("/example/").content.decode()
    with acting(system_user(), "a newcomer sorts before everything"):
        Region(code="aa", name="AAA", parent=cast.regions["global"]).save()
    second = erin_in.get(_link(first, "next")).content.decode()
    assert not set(_names(first)) & set(_names(second))


def test_filter_search_and_sort(erin_in: Client) -> None:
    page = erin_in.get("/example/?q=GERM").content.decode()
    assert _names(page) == ["Germany"]
    assert "1 row<" in page
    page = erin_in.get("/example/?sort=-code").content.decode()
    assert _names(page) == ["Japan", "Global", "France"]
    assert 'aria-sort="descending"' in page
    assert "No region" not in page
    assert "Nothing matches these filters." in erin_in.get("/example/?language=de").content.decode()


def _at(values: list[str]) -> str:
    """A place in a list, as `keyset.encode` writes it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("language=klingon", "is no choice for Language"),
        ("parent=not-a-uuid", "cannot be used for Parent"),
        ("sort=password", "cannot be sorted by"),
        ("after=%00", "The place in the list cannot be read."),
        ("after=W10", "The place in the list cannot be read."),
        ("before=" + _at(["en", "x", "no-uuid"]), "The place in the list cannot be read."),
        ("after=" + _at(["en\ud800", "x", str(UUID(int=1))]), "The place in the list cannot be read."),
        ("after=" + _at(["en\0", "x", str(UUID(int=1))]), "The place in the list cannot be read."),
        ("q=%00", "rows"),
        ("sort=%27%3B--&language=%3Cscript%3E", "is no choice for Language"),
    ],
)
def test_bad_input_is_said_and_never_breaks(erin_in: Client, query: str, said: str) -> None:
    response = erin_in.get(f"/example/?{query}")
    assert response.status_code == 200
    assert said in response.content.decode()
    assert b"<script>" not in response.content


def test_csv_holds_exactly_what_is_filtered(erin_in: Client, cast: Cast) -> None:
    with acting(system_user(), "a hostile name"):
        Region(code="evil", name='=HYPERLINK("https://example.org")', parent=cast.regions["eu"]).save()
    response = erin_in.get("/example/?q=e&format=csv")
    assert response.streaming
    assert re.match(r'attachment; filename="regions-\d{8}T\d{4}Z\.csv"', response["Content-Disposition"])
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Region", "State", "Code", "Language"]
    assert ['\'=HYPERLINK("https://example.org")', "real", "evil", "en"] in rows
    assert len(rows) - 1 == Region.objects.filter(name__icontains="e").count()


def test_csv_shows_only_what_the_person_may_see(client: Client, gita: User) -> None:
    client.force_login(gita)
    text = b"".join(client.get("/example/?format=csv").streaming_content).decode()  # type: ignore[arg-type,attr-defined]
    assert "Japan" in text
    assert "Germany" not in text


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    assert safe(text).lstrip(" ")[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_cells_keep_their_kind() -> None:
    assert safe(None) == ""
    assert safe(True) == "yes"
    assert safe(Decimal("-0.10")) == "-0.10"
    assert safe(-3) == "-3"
    assert safe(Chip("=live")) == "'=live"
    assert safe(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00+00:00"


def test_a_list_cannot_be_ordered_by_what_is_no_field() -> None:
    rows = Region.objects.all()
    cursor = base64.urlsafe_b64encode(json.dumps(["a", "b"]).encode()).decode()
    with pytest.raises(LookupError, match="nonsense is no field of Region"):
        keyset.decode(cursor, rows, ("nonsense", "pk"))
