"""A path as it was when a run started. Pure: documents in, dataclasses out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One call: who (role at scope), how long after the call before it, by which clock, and what if nobody answers."""

    index: int
    role: str
    role_name: str
    scope: str
    after_seconds: int
    clock: str
    channel: str
    expects: str
    on_timeout: str


@dataclass(frozen=True)
class Frozen:
    """The whole path: its steps in order, and what happens after the last."""

    slug: str
    name: str
    steps: tuple[Step, ...]
    last_wait_seconds: int
    repeats: int | None  # how often the last step is called again; None: until somebody answers

    def step(self, index: int) -> Step:
        """The step at this position."""
        return self.steps[index]

    @property
    def end(self) -> int:
        """The position after the last step."""
        return len(self.steps)


def read(document: dict[str, Any]) -> Frozen:
    """The path of a run's frozen document."""
    return Frozen(
        slug=document["slug"],
        name=document["name"],
        steps=tuple(Step(index=index, **step) for index, step in enumerate(document["steps"])),
        last_wait_seconds=document["last_wait_seconds"],
        repeats=document["repeats"],
    )
