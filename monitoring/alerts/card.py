"""The facts beside an alert, for whoever reads it: what changed, against which bound and whose, what else moved. Used by pages only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from monitoring.alerts import sentences
from monitoring.alerts.models import Alert, Kind, Resolution
from monitoring.alerts.rights import AlertRight
from monitoring.signals.models import Window

SIMILAR = 3


@dataclass(frozen=True)
class Card:
    """What the page shows beside the chart."""

    facts: list[tuple[str, Any]]
    clamped: list[str]
    moved: list[dict[str, Any]]
    similar: list[Alert]
    words: str


def card(alert: Alert, user: Any, newest: Window | None) -> Card:
    """Read the frozen context; only what this person may see is listed as similar."""
    said: dict[str, Any] = alert.context or {}
    return Card(
        facts=[fact for fact in (*_measured(alert, said), *_now(alert, newest), *_where(alert)) if fact[1] not in (None, "")],
        clamped=sorted({node for setting in said.get("judged_by", {}).get("settings", {}).values() for node in setting["clamped"]}),
        moved=[{**one, "at": parse_datetime(one["at"])} for one in said.get("moved", [])],
        similar=_similar(alert, user),
        words=str(said.get("description", "")),
    )


def _measured(alert: Alert, said: dict[str, Any]) -> list[tuple[str, Any]]:
    if alert.kind == Kind.SILENCE:
        return [
            (_("Newest window"), parse_datetime(said.get("last_window_end") or "")),
            (_("Was due by"), parse_datetime(said.get("due_by") or "")),
        ]
    if alert.kind == Kind.EXTERNAL:
        return [
            (_("Reported as"), said.get("name", "")),
            (_("About"), said.get("subject", "")),
            (_("Severity there"), said.get("severity", "")),
        ]
    unit = f" {alert.series.unit}" if alert.series and alert.series.unit else ""
    n = said.get("n")
    return [
        (_("Value"), f"{sentences.figure(said['value'])}{unit}"),
        (_("Bound"), _("%(bound)s, set by %(node)s") % {"bound": sentences.figure(said["bound"]), "node": said["node"]}),
        (_("Sample"), _("n = %(n)s") % {"n": n} if n is not None else _("size not told")),
        (_("Window until"), parse_datetime(said["window"]["end"])),
        (_("Rule"), alert.rule.name if alert.rule else ""),
    ]


def _now(alert: Alert, newest: Window | None) -> list[tuple[str, Any]]:
    """The newest value, where it is not the one that raised the alert."""
    if newest is None or alert.kind == Kind.SILENCE or newest.value == alert.context.get("value"):
        return []
    unit = f" {newest.series.unit}" if newest.series.unit else ""
    return [(_("Newest value"), f"{sentences.figure(newest.value)}{unit}"), (_("Its window until"), newest.end)]


def _where(alert: Alert) -> list[tuple[str, Any]]:
    return [
        (_("Wrong since"), alert.began_at),
        (_("Within bounds since"), alert.cleared_at),
        (_("Version"), alert.version.label if alert.version else ""),
        (_("Environment"), alert.environment.name if alert.environment else ""),
        (_("Source"), alert.source.name if alert.source else ""),
        (_("Taken on by"), str(alert.acknowledged_by) if alert.acknowledged_by else ""),
        (_("Resolved"), alert.resolved_at),
    ]


def _similar(alert: Alert, user: Any) -> list[Alert]:
    """The last cases of the same metric, or of the same report, that a person judged."""
    rows = Alert.objects.allowed(user, AlertRight.VIEW).exclude(pk=alert.pk).exclude(resolution__in=["", Resolution.SOURCE])
    if alert.series is not None:
        rows = rows.filter(series__metric=alert.series.metric_id, kind=alert.kind)
    else:
        rows = rows.filter(model=alert.model_id, kind=alert.kind)
    return list(rows.select_related("model", "region").order_by("-resolved_at")[:SIMILAR])
