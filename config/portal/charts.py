"""Charts as SVG, the same in the page and in the PDF: presentation attributes, one polyline, markers only for breaches.

Page style sheets may recolour by class; WeasyPrint sees only the attributes. Numbers become float here, where they
turn into pixels and never back into a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

Number = Decimal | int | float
INK, MUTED, GRID = "#1b2029", "#5b6370", "#e1e4e9"
LINE = "#2348c5"
TONES = {"good": "#e4f4ea", "watch": "#fbf0d3", "act": "#fbe3e3"}
BREACH = "#b3151d"
UNIT_FITS = 3  # characters, as in "ms" or "%"
ALL_LABELS = 12  # more names than this would run into each other


@dataclass(frozen=True)
class Point:
    """One value at one place of the x-axis."""

    at: datetime | date | str
    value: Number | None
    breach: bool = False


@dataclass(frozen=True)
class Band:
    """A range of values with a meaning; an open end reaches the edge of the chart."""

    low: Number | None
    high: Number | None
    tone: str = "watch"
    label: str = ""


@dataclass(frozen=True)
class Frame:
    """Where values lie on the picture."""

    width: int
    height: int
    low: float
    high: float
    count: int
    left: int = 60  # room for five figures, also in the larger type of a phone
    right: int = 76
    top: int = 12
    bottom: int = 24

    def x(self, index: int) -> float:
        room = self.width - self.left - self.right
        return round(self.left + (room * index / (self.count - 1) if self.count > 1 else room / 2), 1)

    def y(self, value: Number) -> float:
        share = (float(value) - self.low) / (self.high - self.low)
        return round(self.height - self.bottom - share * (self.height - self.top - self.bottom), 1)


def line(
    points: Sequence[Point],
    *,
    title: str,
    unit: str = "",
    bands: Sequence[Band] = (),
    width: int = 720,
    height: int = 200,
    stepped: bool = False,
) -> SafeString:
    """A line over time with bands behind it, breaches marked, the last value labelled, and the data as a table below a fold."""
    known = [(index, point) for index, point in enumerate(points) if point.value is not None]
    if not known:
        return _empty(title)
    frame = _frame([point.value for _i, point in known if point.value is not None], bands, len(points), width, height)
    picture = [_bands(frame, bands), _grid(frame, _beside(unit)), _x_axis(frame, points)]
    for run in _runs(points):
        path = _stepped(frame, run) if stepped else " ".join(f"{frame.x(i)},{frame.y(p.value)}" for i, p in run if p.value is not None)
        picture.append(
            format_html(
                '<polyline class="chart-line" points="{}" fill="none" stroke="{}" stroke-width="1.75" stroke-linejoin="round"/>', path, LINE
            )
        )
    picture.extend(_breach(frame, i, p) for i, p in known if p.breach)
    last_index, last = known[-1]
    picture.append(_last(frame, last_index, last, _beside(unit)))
    return _figure(title, width, height, picture, points, unit)


def step(
    points: Sequence[Point], *, title: str, unit: str = "", bands: Sequence[Band] = (), width: int = 720, height: int = 200
) -> SafeString:
    """Like `line`, for values that hold until the next one."""
    return line(points, title=title, unit=unit, bands=bands, width=width, height=height, stepped=True)


def bar(points: Sequence[Point], *, title: str, unit: str = "", width: int = 720, height: int = 200) -> SafeString:
    """Bars from zero, breaches in red."""
    known = [point.value for point in points if point.value is not None]
    if not known:
        return _empty(title)
    frame = _frame([*known, 0], (), len(points), width, height)
    room = (width - frame.left - frame.right) / max(len(points), 1)
    bars = []
    for index, point in enumerate(points):
        if point.value is None:
            continue
        top, bottom = sorted((frame.y(point.value), frame.y(0)))
        bars.append(
            format_html(
                '<rect class="{}" x="{}" y="{}" width="{}" height="{}" fill="{}"/>',
                "chart-breach" if point.breach else "chart-bar",
                round(frame.left + room * index + room * 0.15, 1),
                top,
                round(room * 0.7, 1),
                max(round(bottom - top, 1), 0.5),
                BREACH if point.breach else LINE,
            )
        )
    shown = set(range(len(points))) if len(points) <= ALL_LABELS else {0, len(points) // 2, len(points) - 1}
    names = format_html_join(
        "",
        '<text class="chart-text" x="{}" y="{}" fill="{}" font-size="12" text-anchor="middle">{}</text>',
        ((round(frame.left + room * (i + 0.5), 1), height - 6, MUTED, when(p.at)) for i, p in enumerate(points) if i in shown),
    )
    return _figure(title, width, height, [_grid(frame, _beside(unit)), *bars, names], points, unit)


def spark(values: Sequence[Number | None], *, title: str, breach: bool = False) -> SafeString:
    """80 × 20, for a table cell; the title says what the line says."""
    known = [float(value) for value in values if value is not None]
    if len(known) < 2:
        return format_html('<span class="muted" title="{}">–</span>', title)
    low, high = min(known), max(known)
    room = (high - low) or 1.0
    points = " ".join(f"{round(2 + 76 * i / (len(known) - 1), 1)},{round(17 - 14 * (v - low) / room, 1)}" for i, v in enumerate(known))
    end = points.rsplit(" ", 1)[-1].split(",")
    return format_html(
        '<svg class="spark" width="80" height="20" viewBox="0 0 80 20" role="img" aria-label="{}"><title>{}</title>'
        '<polyline class="chart-line" points="{}" fill="none" stroke="{}" stroke-width="1.5" stroke-linejoin="round"/>'
        '<circle class="{}" cx="{}" cy="{}" r="2" fill="{}"/></svg>',
        title,
        title,
        points,
        LINE,
        "chart-breach" if breach else "chart-end",
        end[0],
        end[1],
        BREACH if breach else LINE,
    )


def figure(value: Number) -> str:
    """A number as text: at most four significant places after the point, no trailing zeros."""
    text = formats.number_format(round(Decimal(str(value)), 4).normalize() if value else Decimal(0), use_l10n=True)
    return format(Decimal(str(value)).normalize(), "f") if "E" in text else text


# --- parts --------------------------------------------------------------------------------------


def _frame(values: Sequence[Number], bands: Sequence[Band], count: int, width: int, height: int) -> Frame:
    edges = [float(value) for value in values]
    edges += [float(edge) for band in bands for edge in (band.low, band.high) if edge is not None]
    low, high = min(edges), max(edges)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    # What is never negative keeps its zero.
    return Frame(width, height, low - margin if low < 0 else max(low - margin, 0.0), high + margin, count)


def _bands(frame: Frame, bands: Sequence[Band]) -> SafeString:
    rows = []
    for band in bands:
        top = frame.y(band.high) if band.high is not None else frame.top
        bottom = frame.y(band.low) if band.low is not None else frame.height - frame.bottom
        if bottom <= top:
            continue
        rows.append(
            (
                band.tone,
                frame.left,
                top,
                frame.width - frame.left - frame.right,
                round(bottom - top, 1),
                TONES.get(band.tone, GRID),
                band.label,
            )
        )
    return format_html_join("", '<rect class="chart-band-{}" x="{}" y="{}" width="{}" height="{}" fill="{}"><title>{}</title></rect>', rows)


def _grid(frame: Frame, unit: str) -> SafeString:
    rows = []
    for share in (0.0, 0.5, 1.0):
        value = Decimal(str(frame.low + (frame.high - frame.low) * share))
        y = frame.y(value)
        rows.append(
            (
                frame.left,
                y,
                frame.width - frame.right,
                y,
                GRID,
                frame.left - 6,
                y + 4,
                MUTED,
                _short(value, frame),
                unit if share == 1 else "",
            )
        )
    return format_html_join(
        "",
        '<line class="chart-grid" x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="1"/>'
        '<text class="chart-text" x="{}" y="{}" fill="{}" font-size="12" text-anchor="end">{}{}</text>',
        rows,
    )


def _beside(unit: str) -> str:
    """The unit where it fits beside a figure; a longer one stands beside the title only."""
    return unit if len(unit.strip()) <= UNIT_FITS else ""


def _short(value: Decimal, frame: Frame) -> str:
    spread = frame.high - frame.low
    places = 0 if spread >= 20 else 1 if spread >= 2 else 2 if spread >= 0.1 else 3
    return formats.number_format(round(value, places) + 0, decimal_pos=places)


def _x_axis(frame: Frame, points: Sequence[Point]) -> SafeString:
    wanted = sorted({0, len(points) // 2, len(points) - 1}) if len(points) > 2 else list(range(len(points)))
    last = len(points) - 1
    rows = [
        (frame.x(i), frame.height - 6, MUTED, "start" if i == 0 and last else "end" if i == last and last else "middle", when(points[i].at))
        for i in wanted
    ]
    return format_html_join("", '<text class="chart-text" x="{}" y="{}" fill="{}" font-size="12" text-anchor="{}">{}</text>', rows)


def when(at: datetime | date | str) -> str:
    """A place on the x-axis in words."""
    if isinstance(at, datetime):
        return formats.date_format(timezone.localtime(at) if timezone.is_aware(at) else at, "j M")
    return formats.date_format(at, "j M") if isinstance(at, date) else at


def _breach(frame: Frame, index: int, point: Point) -> SafeString:
    assert point.value is not None
    x, y = frame.x(index), frame.y(point.value)
    return format_html(
        '<path class="chart-breach" d="M{} {}l5 5-5 5-5-5z" fill="{}"><title>{}: {}</title></path>',
        x,
        y - 5,
        BREACH,
        when(point.at),
        figure(point.value),
    )


def _last(frame: Frame, index: int, point: Point, unit: str) -> SafeString:
    assert point.value is not None
    x, y = frame.x(index), frame.y(point.value)
    return format_html(
        '<circle class="{}" cx="{}" cy="{}" r="3" fill="{}"/>'
        '<text class="chart-value" x="{}" y="{}" fill="{}" font-size="12" font-weight="600">{}{}</text>',
        "chart-breach" if point.breach else "chart-end",
        x,
        y,
        BREACH if point.breach else LINE,
        x + 8,
        y + 4,
        INK,
        figure(point.value),
        unit,
    )


def _runs(points: Sequence[Point]) -> list[list[tuple[int, Point]]]:
    """The line breaks where nothing is known: a gap must not look like a value."""
    runs: list[list[tuple[int, Point]]] = [[]]
    for index, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((index, point))
    return [run for run in runs if run]


def _stepped(frame: Frame, run: list[tuple[int, Point]]) -> str:
    corners: list[str] = []
    for position, (index, point) in enumerate(run):
        assert point.value is not None
        if position:
            before = run[position - 1][1].value
            assert before is not None
            corners.append(f"{frame.x(index)},{frame.y(before)}")
        corners.append(f"{frame.x(index)},{frame.y(point.value)}")
    return " ".join(corners)


def _figure(title: str, width: int, height: int, picture: Sequence[SafeString], points: Sequence[Point], unit: str) -> SafeString:
    rows = format_html_join(
        "",
        "<tr><td>{}</td><td class='num'>{}</td><td>{}</td></tr>",
        (
            (_moment(p.at), f"{figure(p.value)}{unit}" if p.value is not None else _("not known"), _("breach") if p.breach else "")
            for p in points
        ),
    )
    return format_html(
        '<figure class="chart"><figcaption>{}{}</figcaption>'
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}" font-family="system-ui, sans-serif">{}</svg>'
        '<details class="fold"><summary>{}</summary><table class="data"><thead><tr><th scope="col">{}</th>'
        '<th scope="col" class="num">{}</th><th scope="col">{}</th></tr></thead><tbody>{}</tbody></table></details></figure>',
        title,
        format_html(' <span class="muted">{}</span>', unit.strip()) if unit and not _beside(unit) else "",
        width,
        height,
        width,
        height,
        title,
        mark_safe("".join(picture)),  # noqa: S308 - each part is made by format_html
        _("The same as a table"),
        _("When"),
        _("Value"),
        _("Note"),
        rows,
    )


def _moment(at: datetime | date | str) -> str:
    if isinstance(at, datetime):
        return formats.date_format(timezone.localtime(at) if timezone.is_aware(at) else at, "DATETIME_FORMAT")
    return formats.date_format(at, "DATE_FORMAT") if isinstance(at, date) else at


def _empty(title: str) -> SafeString:
    return format_html(
        '<figure class="chart"><figcaption>{}</figcaption><p class="unknown-block">{}</p></figure>', title, _("Nothing is known yet.")
    )
