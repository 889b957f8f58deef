"""When the next call of a run is due, and who would answer it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from stewardship.escalation.frozen import Step
from stewardship.escalation.models import Run
from stewardship.escalation.models import Step as Definition
from stewardship.escalation.rules import Wait
from stewardship.regions.clock import due
from stewardship.regions.models import Region
from stewardship.roles.holders import Holder, holders


def region_at(run: Run, scope: str) -> Region:
    """The region whose calendar and holders a step means."""
    return Region.objects.root() if scope == Definition.Scope.ROOT else run.region


def due_at(run: Run, wait: Wait, start: datetime, *, scope: str) -> datetime:
    """The moment a wait ends; working time is counted by the calendar of whoever has the time, the scope called now."""
    return due(region_at(run, scope), start, Decimal(wait.seconds) / 60, wait.clock == Definition.Clock.WORKING)


def holders_of(run: Run, step: Step, at: datetime) -> list[Holder]:
    """Who holds the step's role at this moment, substitutes for the absent included; empty when vacant."""
    model = run.model if step.scope == Definition.Scope.MODEL else None
    return holders(step.role, model=model, region=region_at(run, step.scope), at=at)
