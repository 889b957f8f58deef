"""Start calling people about something."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from stewardship.escalation.errors import NoPath
from stewardship.escalation.models import EventKind, Path, Run, Status, Step, Timer
from stewardship.escalation.rules import first
from stewardship.escalation.subjects import find
from stewardship.escalation.waiting import due_at
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User
from stewardship.regions.models import Region


def path_for(subject_kind: str, level: str, region: Region) -> Path | None:
    """The path that applies: of the nearest region upwards that has one with steps, the one for this level before the one for any."""
    step = first_step(subject_kind, level, region)
    return step.path if step is not None else None


def first_step(subject_kind: str, level: str, region: Region) -> Step | None:
    """The first step of the path that applies, with path and role read."""
    near = {node: place for place, node in enumerate(region.way_up())}
    steps = Step.objects.filter(path__region__in=near, path__subject_kind=subject_kind, path__level__in={level, ""})
    found = steps.select_related("path", "role").order_by("order")  # of equals min() keeps the first
    return min(found, key=lambda step: (near[step.path.region_id], step.path.level != level), default=None)


def start(
    *, subject_kind: str, subject_id: UUID, label: str, level: str = "", model: RegisteredModel | None = None, region: Region, actor: User
) -> Run:
    """Start the configured escalation; the first call is made by the tick within a second of its time.

    Asks for no right: it is the consequence of an act that did. While a run about the subject is live at the same level,
    that run is returned; at another level it is stopped and replaced. Raises NoPath, UnknownSubject.
    """
    find(subject_kind)
    path = path_for(subject_kind, level, region)
    if path is None:
        raise NoPath(
            _("Nobody is configured to be called about this (%(kind)s, level “%(level)s”) in %(region)s or above.")
            % {"kind": subject_kind, "level": level or "–", "region": region.name},
            field="region",
            remedy=_("Add an escalation path with at least one step for this region or one above it."),
        )
    with transaction.atomic(), acting(actor):
        # Two starts at once: the second waits here, or fails on the constraint that allows one live run a subject.
        Path.objects.select_for_update().get(pk=path.pk)
        live: Run | None = Run.objects.live().about(subject_kind, subject_id).first()
        if live is not None and live.level == level:
            return live
        if live is not None:
            live.settle(actor=actor, reason=_("Replaced: the level changed to %(level)s.") % {"level": level or "–"})
        now = moment()
        run = Run(
            path=path,
            frozen=path.freeze(),
            subject_kind=subject_kind,
            subject_id=subject_id,
            label=label[:200],
            level=level,
            model=model,
            region=region,
            status=Status.RUNNING,
            started_at=now,
        )
        run.save()
        wait = first(run.steps)
        due = due_at(run, wait, now, scope=run.steps.steps[0].scope)
        run.note(EventKind.STARTED, next_due_at=due)
        Timer.objects.create(run=run, generation=run.generation, step=wait.step, loop=wait.loop, due_at=due)
    return run
