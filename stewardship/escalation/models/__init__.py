"""The definition (Path, Step) apart from what happens (Run, Timer, RunEvent)."""

from stewardship.escalation.models.event import EventKind as EventKind
from stewardship.escalation.models.event import RunEvent as RunEvent
from stewardship.escalation.models.path import Path as Path
from stewardship.escalation.models.path import Step as Step
from stewardship.escalation.models.run import TRANSITIONS as TRANSITIONS
from stewardship.escalation.models.run import Run as Run
from stewardship.escalation.models.run import Status as Status
from stewardship.escalation.models.timer import Timer as Timer
