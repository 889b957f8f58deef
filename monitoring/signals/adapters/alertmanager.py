"""Prometheus Alertmanager's webhook, version 4. It sends state, not edges.

A group is `firing` while alerts inside it are `resolved`, so each alert's own status is read. A repeat is byte for
byte the first, so a fact's identity is fingerprint, start and status. An alert that is missing is not resolved.
Descriptions are kept as text and never read for numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext as _

from monitoring.signals.adapters import decode
from monitoring.signals.errors import BodyRefused, ItemError
from monitoring.signals.neutral import Kind, Neutral

MOST_ALERTS = 1000
EARLIEST, LATEST = 1970, 9000
# Which of Alertmanager's labels says what, unless the source's mapping says otherwise.
LABELS = {
    "model": "model",
    "version": "version",
    "environment": "environment",
    "region": "region",
    "level": "severity",
    "subject": "feature",
}
LEVELS = ("observe", "investigate", "act")

CAMEL = {
    "starts_at": "startsAt",
    "ends_at": "endsAt",
    "generator_url": "generatorURL",
    "group_key": "groupKey",
    "external_url": "externalURL",
    "truncated_alerts": "truncatedAlerts",
}

Text = Annotated[str, msgspec.Meta(max_length=2000, pattern=decode.NO_NUL)]


class Alert(msgspec.Struct, kw_only=True, rename=CAMEL):
    """One alert; newer versions add fields, which are ignored."""

    status: Literal["firing", "resolved"]
    labels: dict[str, Text]
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)]
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)]
    fingerprint: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=decode.NO_NUL)]
    annotations: dict[str, Text] = {}
    generator_url: Text = ""


class Body(msgspec.Struct, kw_only=True, rename=CAMEL):
    version: Literal["4"]
    group_key: Text
    alerts: list[msgspec.Raw]
    receiver: Text = ""
    external_url: Text = ""
    truncated_alerts: Annotated[int, msgspec.Meta(ge=0)] = 0


_body = msgspec.json.Decoder(Body)
_alert = msgspec.json.Decoder(Alert)


def parse(body: bytes, content_type: str, mapping: Mapping[str, Any]) -> list[Neutral]:
    """Each alert of the group as a verdict, and one shortfall when alerts were cut; raises BodyRefused."""
    group = decode.whole(_body, body, "JSON")
    if not group.alerts and not group.truncated_alerts:
        raise BodyRefused([ItemError(None, "alerts", _("There is no alert in this body."))])
    if len(group.alerts) > MOST_ALERTS:
        raise BodyRefused([ItemError(None, "alerts", _("At most %(most)d alerts fit in one body.") % {"most": MOST_ALERTS})])
    errors: list[ItemError] = []
    alerts = [(index, alert) for index, raw in enumerate(group.alerts) if (alert := decode.item(_alert, raw, index, errors)) is not None]
    errors += [
        ItemError(index, "startsAt", _("No alert starts in that year."))
        for index, alert in alerts
        if not EARLIEST <= alert.starts_at.year <= LATEST
    ]
    errors += [ItemError(index, "endsAt", _("No alert ends in that year.")) for index, alert in alerts if alert.ends_at.year > LATEST]
    if errors:
        raise BodyRefused(errors, within="alerts")
    facts = [_verdict(index, alert, mapping) for index, alert in alerts]
    if group.truncated_alerts:
        facts.append(_shortfall(len(facts), group, body, [alert for _, alert in alerts]))
    return facts


def _verdict(index: int, alert: Alert, mapping: Mapping[str, Any]) -> Neutral:
    names = {**LABELS, **mapping.get("labels", {})}
    said = {what: alert.labels.get(label, "") for what, label in names.items()}
    starts = alert.starts_at.astimezone(UTC)
    firing = alert.status == "firing"
    # While it fires, the end is year 1: unknown, not long ago.
    ends = starts if firing or alert.ends_at.year <= 1 else alert.ends_at.astimezone(UTC)
    used = set(names.values())
    return Neutral(
        external_id=_identity(alert),
        kind=Kind.VERDICT,
        position=index,
        start=starts,
        end=max(starts, ends),
        model=said["model"],
        version=said["version"],
        environment=said["environment"],
        region=said["region"],
        metric=alert.labels.get("alertname", ""),
        subject=said["subject"],
        key=f"{alert.fingerprint}@{starts.isoformat()}",
        firing=firing,
        level=_level(said["level"], mapping),
        title=alert.annotations.get("summary", "") or alert.labels.get("alertname", ""),
        context={
            "description": alert.annotations.get("description", ""),
            "runbook": alert.annotations.get("runbook_url", ""),
            "origin": alert.generator_url,
            "severity": said["level"],
            "labels": {name: value for name, value in sorted(alert.labels.items()) if name not in used and name != "alertname"},
        },
    )


def _level(severity: str, mapping: Mapping[str, Any]) -> str:
    """Our level for their severity; empty when nobody said, so that a person decides."""
    levels: Mapping[str, str] = mapping.get("levels", {})
    if severity in levels:
        return levels[severity]
    return severity if severity in LEVELS else str(mapping.get("default_level", ""))


def _identity(alert: Alert) -> str:
    return hashlib.sha256(f"{alert.fingerprint}|{alert.starts_at.isoformat()}|{alert.status}".encode()).hexdigest()


def _shortfall(position: int, group: Body, body: bytes, alerts: list[Alert]) -> Neutral:
    newest = max((alert.starts_at.astimezone(UTC) for alert in alerts), default=datetime(EARLIEST, 1, 1, tzinfo=UTC))
    return Neutral(
        external_id="cut-" + hashlib.sha256(body).hexdigest(),
        kind=Kind.SHORTFALL,
        position=position,
        start=newest,
        end=newest,
        n=group.truncated_alerts,
        context={"group": group.group_key},
    )
