"""What would embarrass us in this report, found before an auditor finds it. Facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

STALE = timedelta(days=365)
Weight = Literal["act", "watch", "info"]
ORDER: dict[str, int] = {"act": 0, "watch": 1, "info": 2}


@dataclass(frozen=True)
class Live:
    """A version that runs somewhere."""

    version: str
    place: str
    has_approved_change: bool
    has_evidence: bool


@dataclass(frozen=True)
class Facts:
    """Everything the findings are made of, as of `at`."""

    at: datetime
    accountable: str = ""
    tier: int | None = None
    ruled: bool = True
    assessed_at: datetime | None = None
    live: Sequence[Live] = ()
    not_allowed: Sequence[tuple[str, str]] = ()  # change, verdict: approved or implemented although not allowed
    overdue: Sequence[tuple[str, str, datetime]] = ()  # change, role, due
    open_alerts: Sequence[tuple[str, str]] = ()  # title, level
    unjudged_alerts: int = 0
    unread_evidence: Sequence[str] = ()
    waivers: Sequence[tuple[str, datetime]] = ()  # rule, until
    unanswered: Sequence[str] = ()
    gaps: Sequence[str] = ()
    entered_later: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Finding:
    """One thing to put right, or to have an answer for."""

    weight: Weight
    text: str
    remedy: str = field(default="")


def findings(facts: Facts) -> list[Finding]:
    """The worst first."""
    found = [*_people(facts), *_risk(facts), *_running(facts), *_deciding(facts), *_watching(facts), *_record(facts)]
    return sorted(found, key=lambda one: ORDER[one.weight])


def _people(facts: Facts) -> Iterator[Finding]:
    if not facts.accountable:
        yield Finding("act", _("Nobody is accountable for this model."), _("Assign the accountable role."))
    for gap in facts.gaps:
        yield Finding("watch", _("Open gap: %(gap)s.") % {"gap": gap}, _("Fill it, or close it with a reason."))


def _risk(facts: Facts) -> Iterator[Finding]:
    if facts.tier is None:
        yield Finding("act", _("The model has no risk tier."), _("Assess its risk."))
    if not facts.ruled:
        yield Finding("watch", _("It is not ruled whether this counts as a model."), _("Record the ruling with its rationale."))
    if facts.assessed_at is None:
        yield Finding("watch", _("No risk assessment is on record."), _("Answer the questionnaire of the region."))
    elif facts.at - facts.assessed_at > STALE:
        yield Finding(
            "watch", _("The risk was last assessed on %(day)s.") % {"day": f"{facts.assessed_at:%Y-%m-%d}"}, _("Assess it again.")
        )


def _running(facts: Facts) -> Iterator[Finding]:
    for live in facts.live:
        where = {"version": live.version, "place": live.place}
        if not live.has_approved_change:
            yield Finding(
                "act",
                _("%(version)s runs in %(place)s without an approved change.") % where,
                _("Open a change for it, or end the deployment."),
            )
        if not live.has_evidence:
            yield Finding("act", _("%(version)s runs in %(place)s and has no evidence.") % where, _("Attach its metrics and test results."))
    for name in facts.unread_evidence:
        yield Finding("watch", _("The evidence %(name)s could not be read.") % {"name": name}, _("Attach it again in a known format."))


def _deciding(facts: Facts) -> Iterator[Finding]:
    for change, verdict in facts.not_allowed:
        text = _("%(change)s was approved although its last evaluation says: %(verdict)s.") % {"change": change, "verdict": verdict}
        yield Finding("act", text, _("Have the reason at hand, or a waiver."))
    for change, role, due in facts.overdue:
        text = _("%(change)s: the decision of %(role)s was due on %(day)s.") % {
            "change": change,
            "role": role,
            "day": f"{due:%Y-%m-%d %H:%M} UTC",
        }
        yield Finding("watch", text, _("Decide, or withdraw the change."))
    for rule, until in facts.waivers:
        if until > facts.at:
            yield Finding("info", _("%(rule)s is waived until %(day)s.") % {"rule": rule, "day": f"{until:%Y-%m-%d}"})


def _watching(facts: Facts) -> Iterator[Finding]:
    for title, level in facts.open_alerts:
        yield Finding(
            "watch",
            _("Unresolved alert (%(level)s): %(title)s") % {"level": level, "title": title},
            _("Resolve it, or say what is being done."),
        )
    if facts.unjudged_alerts:
        text = ngettext(
            "%(count)d alert ended by itself and nobody has said what it was.",
            "%(count)d alerts ended by themselves and nobody has said what they were.",
            facts.unjudged_alerts,
        )
        yield Finding("watch", text % {"count": facts.unjudged_alerts}, _("Judge each: fixed, false alarm, or accepted."))
    for label in facts.unanswered:
        yield Finding(
            "act", _("An escalation ended without an answer: %(label)s.") % {"label": label}, _("Explain it in the review of that alert.")
        )


def _record(facts: Facts) -> Iterator[Finding]:
    if facts.entered_later:
        text = ngettext(
            "%(count)d of %(rows)d entries was entered more than five minutes after it says it happened.",
            "%(count)d of %(rows)d entries were entered more than five minutes after they say they happened.",
            facts.entered_later,
        )
        yield Finding("info", text % {"count": facts.entered_later, "rows": facts.rows})
