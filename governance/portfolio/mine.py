"""On which models a person holds a role themselves, by assignments to them or to their team."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from django.db.models import Q

from stewardship.people.models import Membership, User
from stewardship.regions.models import Region
from stewardship.roles.models import RoleAssignment


class Held:
    """A person's roles at one instant."""

    def __init__(self, user: User, at: datetime) -> None:
        teams = Membership.objects.in_force(at).filter(user=user).values("team")
        rows = RoleAssignment.objects.in_force(at).filter(Q(user=user) | Q(team__in=teams))
        self._rows = list(rows.values_list("role__name", "region_id", "family_id", "model_id"))

    @property
    def roles(self) -> list[str]:
        """The names of the roles, each once."""
        return sorted({name for name, *_scope in self._rows})

    @cached_property
    def q(self) -> Q:
        """The models under these roles."""
        regions, families, models = ({row[place] for row in self._rows if row[place]} for place in (1, 2, 3))
        below = Region.objects.ids_below(regions) if regions else frozenset()
        return Q(region_id__in=below) | Q(family_id__in=families) | Q(pk__in=models)
