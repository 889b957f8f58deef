"""Chips, times, people, timelines and diffs, as templates show them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from config.portal import diff, icons
from config.portal.chips import Chip
from config.portal.templatetags import portal as tags
from config.portal.timeline import Item, grouped, kinds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _render(text: str, **context: object) -> str:
    return Template("{% load portal %}" + text).render(Context(context))


def test_a_chip_has_a_word_and_a_sign() -> None:
    assert _render("{% chip one %}", one=Chip("live", "good")).startswith('<span class="chip good"><svg')
    assert "<svg" not in _render("{% chip one %}", one=Chip("live", "good", "none"))
    assert _render('{% chip "" %}') == ""
    assert "&lt;b&gt;" in _render("{% chip label 'act' %}", label="<b>")
    assert 'title="why"' in _render("{% chip one %}", one=Chip("live", title="why"))
    assert str(Chip("live")) == "live"
    assert ">Not known<" in _render("{% chip word %}", word="not known")
    assert ">eu-west<" in _render("{% chip one %}", one=Chip("eu-west", is_name=True))
    assert not Chip("")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=50), "1 minute"),
        (timedelta(minutes=5), "5 minutes"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(days=12), "12 days"),
        (timedelta(days=200), "7 months"),
        (timedelta(days=365 * 3), "3 years"),
    ],
)
def test_lengths_of_time_in_one_unit(length: timedelta, text: str) -> None:
    assert tags.span(length) == text
    assert tags.distance(length) == f"{text} ago"
    assert tags.distance(-length) == f"in {text}"


def test_times_carry_the_moment_and_its_zone() -> None:
    with timezone.override("Europe/Berlin"):
        shown = tags.ago(NOW, NOW + timedelta(hours=3))
    assert ">3 hours ago</time>" in shown
    assert 'title="1 Mar 2026, 13:00 CET"' in shown
    assert "never" in tags.ago(None)
    assert "just now" in tags.ago(NOW, NOW)
    assert "1 Mar 2026, 12:00 UTC" in tags.exact(NOW)
    assert tags.exact(None) == "–"


def test_a_deadline_warns_in_its_last_quarter() -> None:
    now = timezone.now()
    assert "chip neutral" in tags.due(now + timedelta(days=3))
    assert "chip watch" in tags.due(now + timedelta(hours=3))
    assert "chip neutral" in tags.due(now + timedelta(hours=3), now - timedelta(hours=1))
    assert "chip watch" in tags.due(now + timedelta(days=3), now - timedelta(days=30))
    assert "chip act" in tags.due(now - timedelta(minutes=2))
    assert "No deadline" in tags.due(None)


def test_small_filters() -> None:
    assert tags.digest("a" * 64).count(">aaaaaaaa<") == 1
    assert tags.digest("") == "–"
    assert tags.initials("Alice von Adler") == "AA"
    assert tags.initials("Bob") == "B"
    assert "nobody" in tags.person(None)
    assert "owner · away" in tags.person("Alice Adler", "owner", "away")
    assert tags.item({"a": 1}, "a") == 1
    assert tags.item(None, "a") is None
    assert tags.chart(icons.icon("nonsense", "A dot")).count('aria-label="A dot"') == 1


def test_every_kind_of_value_can_be_shown() -> None:
    assert tags.shown(None) == tags.shown("") == '<span class="muted none">–</span>'
    assert tags.shown(True) == "yes"
    assert "chip" in tags.shown(Chip("x"))
    assert "<time" in tags.shown(NOW)
    assert tags.shown(date(2026, 3, 1)) == "1 Mar 2026"
    assert tags.shown(Decimal("2.5000")) == "2.5"
    assert tags.shown(Decimal("100")) == "100"
    assert tags.shown("<b>") == "<b>"  # the template escapes it


def test_quiet_neighbours_are_folded() -> None:
    quiet = [Item(NOW, "signal", "src", "sent", quiet=True) for _ in range(3)]
    loud = Item(NOW, "alert", "System", "opened", "drift", "/a/", "the detail")
    groups = grouped([loud, *quiet, loud, quiet[0], Item(NOW, "comment", "Bob", "said", quiet=True)])
    assert [group.folded for group in groups] == [False, True, False, False, False]
    assert groups[1].summary == "3 quiet events"
    assert kinds([loud, *quiet]) == ["alert", "signal"]
    page = _render("{% timeline items %}", items=[loud, *quiet])
    assert page.count('<li class="folded">') == 1
    assert '<a href="/a/">drift</a>' in page
    assert "Nothing has happened yet." in _render("{% timeline items %}", items=[])


def test_changed_sections_come_first_word_by_word() -> None:
    found = diff.sections({"a": "same", "b": "the old word", "gone": ["x"]}, {"a": "same", "b": "the new word", "c": {"k": None}})
    assert [(section.name, section.changed) for section in found] == [("b", True), ("c", True), ("gone", True), ("a", False)]
    assert found[0].old == "the <del>old</del> word"
    assert found[0].new == "the <ins>new</ins> word"
    assert found[2].old == "<del>- x</del>"


@given(st.text(), st.text())
def test_a_diff_loses_nothing_and_lets_nothing_in(old: str, new: str) -> None:
    from django.utils.html import escape

    left, right = diff.words(old, new)
    assert left.replace("<del>", "").replace("</del>", "") == escape(old)
    assert right.replace("<ins>", "").replace("</ins>", "") == escape(new)


def test_only_indentation_between_elements_is_left_out() -> None:
    written = "\n" * 20_000  # what somebody may have typed
    text = f"<p>\n      <b>x</b> <i>y</i>\n  </p>\n\n<pre>a\n   b</pre><textarea>{written}c</textarea>"
    made = _render("{% tight %}{{ said }}{% endtight %}", said=SafeString(text))
    assert made == f"<p>\n<b>x</b> <i>y</i>\n</p>\n<pre>a\n   b</pre><textarea>{written}c</textarea>"
