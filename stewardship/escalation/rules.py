"""What comes after a step: pure, so that it can be tried on every path there could be."""

from __future__ import annotations

from dataclasses import dataclass

from stewardship.escalation.frozen import Frozen

ELAPSED = "elapsed"
NEXT = "next"


@dataclass(frozen=True)
class Wait:
    """The next timer: for which step (the position after the last one means the end), how long from now, on which clock."""

    step: int
    loop: int
    seconds: int
    clock: str


def first(path: Frozen) -> Wait:
    """The wait before the first call."""
    return Wait(step=0, loop=0, seconds=path.steps[0].after_seconds, clock=path.steps[0].clock)


def after(path: Frozen, step: int, loop: int, *, reached: bool) -> Wait:
    """The wait after the call at `step` in round `loop`, which did or did not reach somebody.

    A step that reached nobody is passed at once, whatever its own time-out says: nobody was given the time. Only the
    last step waits even then, so that a path that is vacant throughout does not spin.
    """
    last = step == path.end - 1
    if not last and not reached:
        return Wait(step=step + 1, loop=loop, seconds=0, clock=ELAPSED)
    if not last and path.steps[step].on_timeout == NEXT:
        following = path.steps[step + 1]
        return Wait(step=step + 1, loop=loop, seconds=following.after_seconds, clock=following.clock)
    clock = path.steps[step].clock
    again = last and path.steps[step].on_timeout == NEXT and (path.repeats is None or loop < path.repeats)
    if again:
        return Wait(step=step, loop=loop + 1, seconds=path.last_wait_seconds, clock=clock)
    return Wait(step=path.end, loop=loop, seconds=path.last_wait_seconds, clock=clock)
