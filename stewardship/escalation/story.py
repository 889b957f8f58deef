"""A run in words: who was called, who is next and when. Facts in, sentences out; the page only shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.portal.chips import Chip, Tone
from config.portal.timeline import Item
from stewardship.escalation.models import EventKind, Run, RunEvent, Status, Timer
from stewardship.escalation.models import Step as Definition
from stewardship.escalation.waiting import holders_of
from stewardship.people.models import User

CALLS = (EventKind.CALLED, EventKind.VACANT)
ORDER = (
    EventKind.STARTED,
    EventKind.BY_HAND,
    EventKind.VACANT,
    EventKind.CALLED,
    EventKind.ENDED,
    EventKind.ACKNOWLEDGED,
    EventKind.STOPPED,
)


@dataclass(frozen=True)
class StepLine:
    """One step of the path, as it went or will go."""

    number: int
    role: str
    scope: str
    channel: str
    people: str
    at: datetime | None
    chip: Chip


@dataclass(frozen=True)
class Story:
    """What the page says first, the steps in order, and everything that happened, the newest first."""

    answer: str
    next_due: datetime | None
    steps: list[StepLine]
    events: list[Item]


def tell(run: Run, at: datetime) -> Story:
    """Read the run's events and timer, and word them for the reader's language and zone."""
    events = sorted(run.events.all(), key=_order)
    timer: Timer | None = Timer.objects.filter(run=run, state=Timer.State.PENDING).first()
    ids = {UUID(pk) for event in events for each in event.reached for pk in (each["user"], each["acting_for"]) if pk}
    names = {user.pk: user.full_name or user.username for user in User.objects.filter(pk__in=ids | {event.actor_id for event in events})}
    following = _people_next(run, timer, at)
    return Story(
        answer=_answer(run, events, timer, names, following, at),
        next_due=timer.due_at if timer else None,
        steps=list(_steps(run, events, timer, names, following)),
        events=[_item(run, event, names) for event in reversed(events)],
    )


def _order(event: RunEvent) -> tuple[datetime, int, int, int, int]:
    # Of events at the same instant: a start comes before its first call, an answer after it.
    return event.at, event.generation, ORDER.index(EventKind(event.kind)), event.loop, event.step or 0


def moment(at: datetime) -> str:
    """The time of day today, otherwise with the date; in the reader's zone, which is named."""
    local = timezone.localtime(at)
    form = "H:i" if local.date() == timezone.localdate() else "j M Y, H:i"
    return f"{date_format(local, form)} {local.tzname()}"


def _people_next(run: Run, timer: Timer | None, at: datetime) -> str:
    if timer is None or timer.step >= run.steps.end:
        return ""
    found = holders_of(run, run.steps.step(timer.step), at)
    return _list([each.user.full_name or each.user.username for each in found])


def _answer(run: Run, events: list[RunEvent], timer: Timer | None, names: dict[UUID, str], following: str, at: datetime) -> str:
    calls = [event for event in events if event.kind in CALLS]
    if run.status == Status.ACKNOWLEDGED:
        name = run.answered_by.full_name or run.answered_by.username if run.answered_by else ""
        return _("%(name)s acknowledged it %(ago)s. Nobody else is called.") % {"name": name, "ago": _ago(run.answered_at, at)}
    if run.status == Status.STOPPED:
        last = _last(events, EventKind.STOPPED)
        return _("Stopped by %(name)s %(ago)s: %(reason)s") % {
            "name": names[last.actor_id],
            "ago": _ago(last.at, at),
            "reason": last.reason,
        }
    if run.status == Status.ENDED:
        made = sum(event.kind == EventKind.CALLED for event in calls)
        return ngettext(
            "Nobody answered: %(n)d call was made, and the path ended %(ago)s. It is open as a gap.",
            "Nobody answered: %(n)d calls were made, and the path ended %(ago)s. It is open as a gap.",
            made,
        ) % {"n": made, "ago": _ago(_last(events, EventKind.ENDED).at, at)}
    done = _last_call(calls[-1], names, at) if calls else _("Nobody has been called yet.")
    return f"{done} {_next(run, timer, following)}".strip()


def _last(events: list[RunEvent], kind: EventKind) -> RunEvent:
    return [event for event in events if event.kind == kind][-1]


def _last_call(event: RunEvent, names: dict[UUID, str], at: datetime) -> str:
    if event.kind == EventKind.VACANT:
        return _("Nobody holds the role %(role)s, so the next step was taken at once.") % {"role": event.role}
    return _("%(people)s was called %(ago)s as %(role)s.") % {
        "people": _reached(event, names),
        "ago": _ago(event.at, at),
        "role": event.role,
    }


def _next(run: Run, timer: Timer | None, following: str) -> str:
    if timer is None:
        return ""
    if timer.step >= run.steps.end:
        return _("Without an answer the path ends at %(time)s.") % {"time": moment(timer.due_at)}
    step = run.steps.step(timer.step)
    whom = _("%(people)s (%(role)s)") % {"people": following, "role": step.role_name} if following else step.role_name
    return _("At %(time)s it goes to %(whom)s.") % {"time": moment(timer.due_at), "whom": whom}


def _steps(run: Run, events: list[RunEvent], timer: Timer | None, names: dict[UUID, str], following: str) -> Iterable[StepLine]:
    latest = {event.step: event for event in events if event.kind in CALLS}
    last = max(
        (event for event in events if event.kind in CALLS), key=lambda event: (event.generation, event.step, event.loop), default=None
    )
    for step in run.steps.steps:
        event = latest.get(step.index)
        people, moment_at = (_reached(event, names), event.at) if event else ("", None)
        label, tone = _state(run, event, event is not None and event is last)
        if timer is not None and timer.step == step.index:
            people, moment_at, label, tone = following or people, timer.due_at, _("next") if event is None else _("again next"), "info"
        yield StepLine(
            number=step.index + 1,
            role=step.role_name,
            scope=str(Definition.Scope(step.scope).label),
            channel=str(Definition.StepChannel(step.channel).label),
            people=people,
            at=moment_at,
            chip=Chip(label, tone),
        )


def _state(run: Run, event: RunEvent | None, newest: bool) -> tuple[str, Tone]:
    if event is None:
        return (_("later"), "neutral") if run.status == Status.RUNNING else (_("not needed"), "neutral")
    if event.kind == EventKind.VACANT:
        return _("vacant"), "act"
    if newest and run.status == Status.RUNNING:
        return _("must answer"), "watch"
    if newest and run.status == Status.ACKNOWLEDGED:
        return _("answered"), "good"
    return _("no answer"), "neutral"


ICONS = {
    EventKind.STARTED: "run",
    EventKind.CALLED: "notice",
    EventKind.VACANT: "gap",
    EventKind.ACKNOWLEDGED: "check",
    EventKind.BY_HAND: "person",
    EventKind.STOPPED: "cross",
    EventKind.ENDED: "alert",
}
TONES: dict[str, str] = {EventKind.VACANT: "act", EventKind.ENDED: "act", EventKind.ACKNOWLEDGED: "good"}


def _item(run: Run, event: RunEvent, names: dict[UUID, str]) -> Item:
    verb, detail = _words(run, event, names)
    return Item(
        at=event.at,
        kind=ICONS[EventKind(event.kind)],
        actor=names[event.actor_id],
        verb=verb,
        detail=detail,
        tone=TONES.get(event.kind, "neutral"),
    )


def _words(run: Run, event: RunEvent, names: dict[UUID, str]) -> tuple[str, str]:
    match EventKind(event.kind):
        case EventKind.STARTED:
            return _("started the path “%(path)s”") % {"path": run.steps.name}, ""
        case EventKind.CALLED:
            channel = Definition.StepChannel(event.channel).label
            said = _("called %(people)s as %(role)s by %(channel)s") % {
                "people": _reached(event, names),
                "role": event.role,
                "channel": channel,
            }
            return said, _waits(event)
        case EventKind.VACANT:
            return _("found nobody who holds the role %(role)s") % {"role": event.role}, ""
        case EventKind.ACKNOWLEDGED:
            return _("acknowledged it"), event.reason
        case EventKind.BY_HAND:
            return _("called on by hand"), event.reason
        case EventKind.STOPPED:
            return _("stopped it"), event.reason
        case EventKind.ENDED:
            return _("ended the path: nobody had answered"), ""


def _waits(event: RunEvent) -> str:
    return _("Time to answer: until %(time)s") % {"time": moment(event.next_due_at)} if event.next_due_at else ""


def _reached(event: RunEvent, names: dict[UUID, str]) -> str:
    said = []
    for each in event.reached:
        name = names[UUID(each["user"])]
        absent = names[UUID(each["acting_for"])] if each["acting_for"] else ""
        said.append(_("%(name)s (for %(absent)s)") % {"name": name, "absent": absent} if absent else name)
    return _list(said)


def _list(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return _("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}


def _ago(past: datetime | None, at: datetime) -> str:
    minutes = max(int((at - past).total_seconds() // 60), 0) if past else 0
    if minutes < 1:
        return _("just now")
    if minutes < 120:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
    return ngettext("%(n)d day ago", "%(n)d days ago", hours // 24) % {"n": hours // 24}
