"""Charts: the same picture in page and PDF, gaps stay gaps, and the numbers are there as a table."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.portal.charts import Band, Point, bar, figure, line, spark, step

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _points(*values: str | None, breaches: tuple[int, ...] = ()) -> list[Point]:
    return [Point(START + timedelta(days=i), None if v is None else Decimal(v), i in breaches) for i, v in enumerate(values)]


def test_one_polyline_breaches_marked_and_the_last_value_written() -> None:
    svg = line(_points("0.1", "0.2", "0.4", breaches=(2,)), title="Drift", unit="%", bands=[Band(Decimal("0.3"), None, "act", "act")])
    assert svg.count("<polyline") == 1
    assert svg.count("<path") == 1
    assert "0.4%</text>" in svg
    assert 'class="chart-band-act"' in svg
    assert "style=" not in svg
    assert svg.count("<tr>") == 4
    assert "breach" in svg


def test_a_gap_is_a_gap() -> None:
    assert line(_points("1", "2", None, "3", "4"), title="x").count("<polyline") == 2
    assert "not known" in line(_points("1", None), title="x")


def test_nothing_known_is_said() -> None:
    assert "Nothing is known yet." in line(_points(None, None), title="x")
    assert "Nothing is known yet." in bar([], title="x")
    assert "–" in spark([None, 1], title="x")


def test_a_step_holds_until_the_next() -> None:
    corners = step(_points("1", "2"), title="x").split('points="')[1].split('"')[0].split()
    assert len(corners) == 3
    assert corners[0].split(",")[1] == corners[1].split(",")[1]


def test_bars_start_at_zero_and_name_each_place() -> None:
    svg = bar([Point("DE", 3), Point("<FR>", 6, breach=True), Point("IT", None)], title="Findings")
    assert svg.count('class="chart-bar"') == 1
    assert 'class="chart-breach"' in svg
    assert "&lt;FR&gt;" in svg
    assert "<FR>" not in svg
    assert bar([Point(date(2026, 3, 1), 1)], title="x").count(">1 Mar<") == 1


def test_numbers_are_written_plainly() -> None:
    assert figure(Decimal("0.100000")) == "0.1"
    assert figure(Decimal("1000")) in {"1000", "1,000"}
    assert figure(0) == "0"
    assert figure(Decimal("0.00001")) == "0"


@given(st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9), max_size=40))
def test_any_numbers_make_a_well_formed_picture_within_its_frame(values: list[Decimal | None]) -> None:
    points = [Point(START + timedelta(hours=i), value) for i, value in enumerate(values)]
    for made in (line(points, title='a "quoted" <title>'), bar(points, title="b"), spark(values, title="s")):
        root = ET.fromstring(made)
        for node in root.iter("polyline"):
            for pair in node.attrib["points"].split():
                x, y = map(float, pair.split(","))
                assert 0 <= x <= 720
                assert 0 <= y <= 200
