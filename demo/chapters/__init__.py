"""The stories of the year, one module for each kind."""

from __future__ import annotations

from collections.abc import Iterable

from demo.chapters import episodes, today, tumour_risk
from demo.chapters.life import Life, ordinary
from demo.chronicle import Story
from demo.data import read
from demo.world import World


def stories(world: World) -> Iterable[Story]:
    """Every story, each a generator that yields the times of its steps."""
    yield tumour_risk.story(world)
    plans = read("lives")["lives"]
    for row in read("models")["models"]:
        if row["slug"] in plans:
            life = Life(world, row, plans[row["slug"]])
            yield episodes.CHAPTERS.get(life.plan.get("chapter", ""), ordinary)(life)
    yield from today.stories(world)
