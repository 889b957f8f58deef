"""What other pages show of this floor: the monitoring of one model, its alerts, and what waits in the inbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Min, Q, QuerySet, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.portal import charts
from config.portal.chips import Chip, Tone
from config.portal.registry import Hit, InboxItem
from monitoring.alerts import pictures, sentences
from monitoring.alerts.models import Alert, Status
from monitoring.alerts.rights import AlertRight
from monitoring.signals.models import Quarantined, Series, Window
from monitoring.signals.rights import SeriesRight, SourceRight
from monitoring.thresholds.models import LevelChoice, Track
from monitoring.thresholds.rules import Level, Reading

MOST_SERIES = 20  # a page stays below 60 KB; the worst are among them
CHARTS = 3
TONES: dict[str, Tone] = {"ok": "good", "observe": "info", "investigate": "watch", "act": "act"}
# The worst first; what is not known is worse than what is well.
ORDER = {"act": 0, "investigate": 1, "unknown": 2, "observe": 3, "unjudged": 4, "ok": 5}


@dataclass(frozen=True)
class Line:
    """One series of a model, as a row."""

    series: Series
    chip: Chip
    state: str
    last: Window | None
    value: str
    spark: SafeString
    bound: str

    @property
    def where(self) -> str:
        """The place it is measured at, and the version it is about."""
        parts = (self.series.region.name, self.series.environment, self.series.version and self.series.version.label)
        return " · ".join(str(part) for part in parts if part)


def monitoring(request: HttpRequest, model: Any) -> Mapping[str, Any] | None:
    """Series with their bands, the worst drawn large; open alerts; silence and missing thresholds said, never green.

    What belongs to versions that no longer run is kept apart, and is no part of the answer.
    """
    rows = Series.objects.allowed(request.user, SeriesRight.VIEW).of_model(model.pk)
    now = timezone.now()
    judging = Track.objects.filter(series__model=model).judging(now)
    series = list(
        rows.with_gone(now)
        .annotate(standing=Coalesce(Min(_standing(now), filter=Q(tracks__in=judging)), ORDER["unjudged"]))
        .select_related("metric", "region", "version", "environment")
        .order_by("gone", "standing", "metric__slug", "method", "subject")[:MOST_SERIES]
    )
    alerts = Alert.objects.allowed(request.user, AlertRight.VIEW).filter(model=model).filter(~Q(status=Status.RESOLVED))
    windows = pictures.newest(series, 24)
    tracks: dict[Any, list[Track]] = {}
    for track in judging.filter(series__in=series).select_related("rule"):
        tracks.setdefault(track.series_id, []).append(track)
    lines = [_line(one, windows.get(one.pk, []), tracks.get(one.pk, []), now) for one in series]
    lines.sort(key=lambda line: ORDER[line.state])
    running, gone = [line for line in lines if not line.series.gone], [line for line in lines if line.series.gone]
    return {
        "lines": running,
        "gone": gone,
        "charts": [
            _chart(line, _title(line, running), windows.get(line.series.pk, []), tracks.get(line.series.pk, []), now)
            for line in running[:CHARTS]
        ],
        "alerts": list(alerts.select_related("region").order_by("-opened_at")[:10]),
        "answer": _answer(running, gone),
        "more": rows.count() - len(lines) if len(series) == MOST_SERIES else 0,
    }


def _title(line: Line, lines: list[Line]) -> str:
    """Where there are several of a metric, each says which one it is."""
    label = line.series.label
    return f"{label} · {line.where}" if sum(other.series.label == label for other in lines) > 1 else label


def _standing(now: datetime) -> Case:
    """ORDER in SQL, so that of more series than fit the worst are shown."""
    return Case(
        When(tracks__level=LevelChoice.ACT, then=ORDER["act"]),
        When(tracks__level=LevelChoice.INVESTIGATE, then=ORDER["investigate"]),
        When(
            ~Q(tracks__reading=Reading.KNOWN) | Q(tracks__due_by__lt=now) | Q(tracks__stale_since__isnull=False),
            then=ORDER["unknown"],
        ),
        When(tracks__level=LevelChoice.OBSERVE, then=ORDER["observe"]),
        default=ORDER["ok"],
    )


def _worst(tracks: list[Track]) -> Track | None:
    return max(tracks, key=lambda track: Level(track.level).rank, default=None)


def _state(tracks: list[Track], now: datetime) -> str:
    """`unjudged` without a rule; `unknown` when any rule cannot be judged; else the worst level."""
    if not tracks:
        return "unjudged"
    worst = _worst(tracks)
    if worst is not None and worst.level in {LevelChoice.ACT, LevelChoice.INVESTIGATE}:
        return worst.level
    if not all(track.is_known(now) for track in tracks):
        return "unknown"
    return worst.level if worst is not None else "unjudged"


def _chip(state: str, tracks: list[Track], now: datetime) -> Chip:
    known = all(track.is_known(now) for track in tracks)
    if state == "unjudged":
        return Chip(_("Not judged: no threshold"), "unknown")
    if state == "unknown":
        return Chip(_("Not known"), "unknown")
    label = _("Within bounds") if state == "ok" else str(LevelChoice(state).label)
    return Chip(label if known else _("%(level)s, now not known") % {"level": label}, TONES[state] if known else "unknown")


def _line(series: Series, windows: list[Window], tracks: list[Track], now: datetime) -> Line:
    state = _state(tracks, now)
    last = windows[-1] if windows else None
    unit = f" {series.unit}" if series.unit else ""
    value = f"{sentences.figure(last.value)}{unit}" if last else ""
    return Line(
        series=series,
        chip=_chip(state, tracks, now),
        state=state,
        last=last,
        value=value,
        spark=charts.spark([window.value for window in windows], title=f"{series.label}: {value}", breach=state in {"act", "investigate"}),
        bound=_bound(_worst(tracks)),
    )


def _bound(track: Track | None) -> str:
    """The first bound that matters, with the node that set it."""
    bands = pictures.bands_of(track.effective) if track is not None else {}
    if track is None or not bands:
        return ""
    level = next(level for level in Level if level in bands)
    band, node = bands[level], track.effective["bands"][level.value]["node"]
    edges = " – ".join(sentences.figure(edge) for edge in (band.low, band.high) if edge is not None)
    return _("%(bound)s by %(node)s") % {"bound": edges, "node": node}


def _chart(line: Line, title: str, windows: list[Window], tracks: list[Track], now: datetime) -> SafeString:
    track = _worst(tracks)
    silent = now if track is not None and not track.is_known(now) and track.stale_since is not None else None
    return pictures.chart(line.series, windows, pictures.bands_of(track.effective) if track else {}, title=title, silent_at=silent)


def _answer(lines: list[Line], gone: list[Line]) -> str:
    if gone and not lines:
        return _("Nothing that runs is measured, so nothing is known about how it does.")
    if not lines:
        return _("Nothing is measured yet, so nothing is known about how it does.")
    counts = {state: sum(line.state == state for line in lines) for state in ORDER}
    words = {
        "act": ngettext("%(n)d asks to act", "%(n)d ask to act", counts["act"]),
        "investigate": ngettext("%(n)d to be investigated", "%(n)d to be investigated", counts["investigate"]),
        "unknown": ngettext("%(n)d not known", "%(n)d not known", counts["unknown"]),
        "observe": ngettext("%(n)d to be observed", "%(n)d to be observed", counts["observe"]),
        "unjudged": ngettext("%(n)d without a threshold", "%(n)d without a threshold", counts["unjudged"]),
        "ok": ngettext("%(n)d within bounds", "%(n)d within bounds", counts["ok"]),
    }
    return ngettext("Of %(all)d series: %(parts)s.", "Of %(all)d series: %(parts)s.", len(lines)) % {
        "all": len(lines),
        "parts": ", ".join(words[state] % {"n": counts[state]} for state in ORDER if counts[state]),
    }


def mine(user: Any, at: datetime) -> Iterable[InboxItem]:
    """Alerts this person took on and has not closed. Calls that nobody answered come from the escalation itself."""
    for alert in taken_on(user, at).select_related("region", "model").order_by("opened_at")[:50]:
        ended = alert.status == Status.RESOLVED
        yield InboxItem(
            title=alert.title,
            url=alert.get_absolute_url(),
            kind="alert",
            meta=_("It ended by itself: say what it was")
            if ended
            else _("You took this on · %(status)s") % {"status": alert.get_status_display()},
        )


def taken_on(user: Any, at: datetime) -> QuerySet[Alert]:
    """Alerts this person acknowledged that are not closed, or that ended by themselves and were not judged."""
    mine = Alert.objects.allowed(user, AlertRight.VIEW, at).filter(acknowledged_by=user)
    return mine.filter(~Q(status=Status.RESOLVED) | Q(pk__in=Alert.objects.unjudged()))


def waiting_alerts(user: Any) -> list[QuerySet[Any]]:
    """For the sidebar: alerts that nobody has taken on, of those this person may see."""
    return [Alert.objects.allowed(user, AlertRight.VIEW).unacknowledged()]


def waiting_quarantine(user: Any) -> list[QuerySet[Any]]:
    """For the sidebar: facts that nobody could place."""
    return [Quarantined.objects.allowed(user, SourceRight.VIEW).waiting()]


def search(user: Any, text: str, limit: int) -> list[Hit]:
    """Alerts by what is wrong, the newest first."""
    found = Alert.objects.allowed(user, AlertRight.VIEW).filter(title__icontains=text).order_by("-opened_at")[:limit]
    return [
        Hit(alert.title, f"{alert.get_level_display()} · {alert.get_status_display()}", alert.get_absolute_url(), "alert")
        for alert in found
    ]
