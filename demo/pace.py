"""The pace of one story: from a day in the past onwards, in working days."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo.world import SATURDAY, World


class Pace:
    """Gives times that only go forward, fall on working days, and never lie after the telling."""

    def __init__(self, world: World, days: float, hour: float = 9) -> None:
        self.world = world
        self.at = world.ago(days, hour)

    def later(self, days: int = 1, hour: float = 10) -> datetime:
        """So many working days later at this hour (UTC); with 0 days an hour or more after the step before."""
        day = self.at
        for _turn in range(days):
            day += timedelta(days=1)
            while day.weekday() >= SATURDAY:
                day += timedelta(days=1)
        wanted = day.replace(hour=0, minute=0) + timedelta(hours=hour)
        self.at = min(max(wanted, self.at + timedelta(minutes=50)), self.world.now)
        return self.at
