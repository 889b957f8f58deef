"""Series as pictures: values over event time, what is allowed as bands behind them, breaches as markers. Used by pages only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.portal import charts
from monitoring.signals.models import Series, Window
from monitoring.signals.models.facts import WindowQuerySet
from monitoring.thresholds.rules import Band, Level

SHOWN = 40
SPARE = 20  # corrections that came in the very same instant


def bands_of(document: Mapping[str, Any]) -> dict[Level, Band]:
    """The allowed bands by level, from a stored judgement."""
    found: Mapping[str, Any] = document.get("bands", {})
    return {level: Band(_exact(found[level.value]["low"]), _exact(found[level.value]["high"])) for level in Level if level.value in found}


def _exact(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def stripes(bands: Mapping[Level, Band]) -> list[charts.Band]:
    """Good inside the mildest band, act beyond the worst one, watch between."""
    if not bands:
        return []
    ordered = [bands[level] for level in Level if level in bands]
    mild, worst = ordered[0], ordered[-1]
    found = [charts.Band(mild.low, mild.high, "good", _("within bounds"))]
    for inner, outer, upwards in ((mild.high, worst.high, True), (worst.low, mild.low, False)):
        if inner is not None and outer is not None and inner != outer:
            found.append(charts.Band(inner, outer, "watch", _("observe or investigate")))
        edge = outer if upwards else inner
        if edge is not None:
            found.append(charts.Band(edge if upwards else None, None if upwards else edge, "act", _("beyond the last bound")))
    return found


def newest(series: Iterable[Series], shown: int = SHOWN) -> dict[UUID, list[Window]]:
    """The newest windows of several series in order of event time, corrected values in place of the old; at most two queries.

    Each series is read back to its own edge, so that a busy one hides no slow one.
    """
    known = {one.pk: one for one in series}
    rows = _uncorrected().filter(series__in=known).newest_first()[: shown + SPARE] if len(known) == 1 else _back_to_the_edge(known, shown)
    found: dict[UUID, dict[tuple[datetime, datetime], Window]] = defaultdict(dict)
    for window in rows:
        window.series = known[window.series_id]
        spans = found[window.series_id]
        if len(spans) < shown:
            spans.setdefault((window.start, window.end), window)
    return {pk: sorted(spans.values(), key=lambda each: each.end) for pk, spans in found.items()}


def _uncorrected() -> WindowQuerySet:
    corrected = Window.objects.filter(
        series=OuterRef("series"), end=OuterRef("end"), start=OuterRef("start"), received_at__gt=OuterRef("received_at")
    )
    rows: WindowQuerySet = Window.objects.exclude(Exists(corrected))
    return rows


def _back_to_the_edge(known: Iterable[UUID], shown: int) -> WindowQuerySet:
    mine = Window.objects.filter(series=OuterRef("pk")).order_by("-end").values("end").distinct()
    reach = Q(pk__in=[])
    edges = Series.objects.filter(pk__in=known).order_by().annotate(edge=Subquery(mine[shown - 1 : shown]))
    for pk, edge in edges.values_list("pk", "edge"):
        reach |= Q(series=pk) if edge is None else Q(series=pk, end__gte=edge)
    return _uncorrected().filter(reach).newest_first()


def chart(
    series: Series,
    windows: Sequence[Window],
    bands: Mapping[Level, Band],
    *,
    title: str = "",
    level: Level | None = None,
    silent_at: datetime | None = None,
) -> SafeString:
    """One series with its bands; markers where the band of `level` (the mildest, when not given) was left."""
    band = bands.get(level) if level else next((bands[each] for each in Level if each in bands), None)
    points = [charts.Point(window.end, window.value, breach=band is not None and band.breached_by(window.value)) for window in windows]
    if silent_at is not None:
        points.append(charts.Point(silent_at, None))  # the line must not end as if the last value still held
    return charts.line(points, title=title or series.label, unit=f" {series.unit}" if series.unit else "", bands=stripes(bands), height=180)
