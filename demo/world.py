"""What every part of the story shares: the time it is told at, and the people, places and models it is about."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from stewardship.inventory.models import Environment, ModelFamily, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region
from stewardship.signing.mint import Authentication

BEGINNING = 400  # days before today on which the installation of the example began
SATURDAY = 5


@dataclass
class World:
    """The example while it is being told. `now` is the instant of the telling, to which all other times are relative."""

    now: datetime
    people: dict[str, User] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    families: dict[str, ModelFamily] = field(default_factory=dict)
    models: dict[str, RegisteredModel] = field(default_factory=dict)
    # Each person signs in one session, of which nothing but a digest is kept.
    session: str = field(default_factory=lambda: secrets.token_hex(16))
    proofs: dict[str, Authentication] = field(default_factory=dict)

    def ago(self, days: float, hour: float = 9) -> datetime:
        """So many whole days before today at this hour (UTC); a weekend day becomes the Friday before it. 0 days: so many hours ago."""
        if days < 1:
            return self.now - timedelta(hours=hour)
        day = (self.now - timedelta(days=days)).date()
        day -= timedelta(days=max(0, day.weekday() - SATURDAY + 1))
        return datetime.combine(day, time(), UTC) + timedelta(hours=hour)

    @property
    def beginning(self) -> datetime:
        """When the installation was set up."""
        return self.ago(BEGINNING, 8)

    @property
    def system(self) -> User:
        """The account that sets the example up before there is anybody to do it."""
        return system_user()

    @contextmanager
    def as_(self, username: str, at: datetime, reason: str = "") -> Iterator[User]:
        """Inside, this person acts at this time."""
        person = self.people[username]
        with acting(person, reason, at=min(at, self.now)):
            yield person
