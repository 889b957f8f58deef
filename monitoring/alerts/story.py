"""An alert in words: what must happen next, and what happened so far. Used by pages only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.urls import reverse
from django.utils.translation import gettext as _

from config.portal.chips import Chip, Tone
from config.portal.timeline import Item
from monitoring.alerts.models import SUBJECT, Alert, Resolution, Status
from stewardship.escalation import story as escalation
from stewardship.escalation.models import Run
from stewardship.escalation.rights import RunRight
from stewardship.people.models import User

SHOWN = 100
LEVEL_TONES: dict[str, Tone] = {"observe": "info", "investigate": "watch", "act": "act"}
STATUS_TONES: dict[str, Tone] = {
    Status.OPEN: "watch",
    Status.ACKNOWLEDGED: "info",
    Status.INVESTIGATING: "info",
    Status.RESOLVED: "good",
}


def level_chip(alert: Alert) -> Chip:
    """The level in one word."""
    return Chip(alert.get_level_display(), LEVEL_TONES[alert.level])


def status_chip(alert: Alert) -> Chip:
    """The status in one word; an outcome nobody judged is not good news."""
    if alert.resolution == Resolution.SOURCE:
        return Chip(alert.get_resolution_display(), "unknown")
    if alert.status == Status.RESOLVED:
        return Chip(alert.get_resolution_display(), "good")
    return Chip(alert.get_status_display(), STATUS_TONES[alert.status])


def run_of(alert: Alert, user: Any) -> Run | None:
    """The newest escalation about it, when this person may see it."""
    # Every run about an alert lies where the alert lies, so the newest that is allowed is the newest.
    rows = Run.objects.allowed(user, RunRight.VIEW).about(SUBJECT, alert.pk)
    return rows.select_related("region", "model", "answered_by").first()


def answer(alert: Alert, run: Run | None, told: escalation.Story | None) -> str:
    """Where it stands and who must do what by when, in one or two sentences."""
    if alert.status == Status.RESOLVED:
        if alert.resolution == Resolution.SOURCE:
            return _("It ended by itself. Nobody has said yet what it was.")
        return _("Closed as “%(outcome)s”: %(reason)s") % {"outcome": alert.get_resolution_display(), "reason": alert.resolution_reason}
    said = []
    if alert.cleared_at is not None:
        said.append(_("The value is within its bounds again; a person must still say what it was."))
    if alert.status == Status.INVESTIGATING:
        said.append(_("%(name)s is investigating.") % {"name": alert.acknowledged_by})
    elif alert.status == Status.ACKNOWLEDGED:
        said.append(_("%(name)s has taken it on. Nobody else is called.") % {"name": alert.acknowledged_by})
    elif run is not None and told is not None and run.level == alert.level:
        said.append(told.answer)
    elif alert.level == "observe":
        said.append(_("An observation: looked at in the course of work, nobody is called."))
    else:
        said.append(_("Nobody is called: no escalation path is configured here. The gap is open."))
    return " ".join(said)


def events(alert: Alert, told: escalation.Story | None) -> list[Item]:
    """Its own history and the calls, the newest first."""
    items = list(_history(alert)) + (told.events if told is not None else [])
    return sorted(items, key=lambda item: item.at, reverse=True)


def _history(alert: Alert) -> Iterable[Item]:
    """The newest steps; an alert that a source touches every minute has more than a page can hold."""
    who = User.objects.filter(pk=OuterRef("history_user_id")).values(name=Coalesce(NullIf("full_name", Value("")), "username"))
    rows = list(alert.history.annotate(who=Subquery(who)).order_by("-history_date", "-history_id")[: SHOWN + 1])[::-1]
    before = None
    if len(rows) > SHOWN:
        before = rows.pop(0)
        whole = reverse("history", args=["monitoring.alert", alert.pk])
        yield Item(before.history_date, "signal", actor="", verb=_("What came before stands in its"), object_label=_("history"), url=whole)
    for row in rows:
        yield _item(row, before, row.who or "")
        before = row


def _item(row: Any, before: Any, actor: str) -> Item:
    at: datetime = row.history_date
    if before is None:
        return Item(
            at=at,
            kind="alert",
            actor=actor,
            verb=_("opened it at “%(level)s”") % {"level": row.get_level_display()},
            detail=row.title,
            tone="act",
        )
    if row.resolution != before.resolution:
        verb = (
            _("ended it")
            if row.resolution == Resolution.SOURCE
            else _("closed it as “%(outcome)s”") % {"outcome": row.get_resolution_display()}
        )
        return Item(at=at, kind="check", actor=actor, verb=verb, detail=row.history_change_reason, tone="good")
    if row.level != before.level:
        verb = _("raised it to “%(level)s”") % {"level": row.get_level_display()}
        return Item(at=at, kind="alert", actor=actor, verb=verb, detail=row.title, tone="act")
    if row.status != before.status:
        verb = _("began to investigate") if row.status == Status.INVESTIGATING else _("took it on")
        return Item(at=at, kind="person", actor=actor, verb=verb, detail=row.history_change_reason)
    return Item(at=at, kind="signal", actor=actor, verb=_("noted"), detail=row.history_change_reason, quiet=True)
