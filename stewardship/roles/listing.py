"""Who is accountable, for a whole list of models at once: as a column of the query, so that lists and exports stay one query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Case, CharField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf

from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from stewardship.regions import tree
from stewardship.regions.models import Region
from stewardship.roles.models import RoleAssignment

Rows = TypeVar("Rows", bound="QuerySet[RegisteredModel]")

VACANT = ""
# As User.get_full_name has it: whoever gave no name is called by their user name, and is not nobody.
_CALLED = Coalesce(NullIf("user__full_name", Value("")), "user__username", output_field=CharField())
_NAME = Case(When(user__is_active=False, then=Value(VACANT)), default=_CALLED, output_field=CharField())


def _by_region(at: datetime, tree_known: Mapping[UUID, UUID | None] | None) -> dict[UUID, str]:
    """The accountable person's name for every region that has one, itself or by a region above."""
    given: dict[UUID, str] = {
        row.region_id: row.user.get_full_name() if row.user.is_active else VACANT
        for row in RoleAssignment.objects.in_force(at).filter(role__accountable=True, region__isnull=False).select_related("user")
        if row.region_id is not None and isinstance(row.user, User)
    }
    parents = (tree_known or Region.objects.parents()) if given else {}
    nearest = {region: next((step for step in tree.above(parents, region) if step in given), None) for region in parents}
    return {region: given[step] for region, step in nearest.items() if step is not None}


def with_accountable(rows: Rows, at: datetime, tree_known: Mapping[UUID, UUID | None] | None = None) -> Rows:
    """Adds `accountable_name` (empty where nobody is): the nearest of model, family and region, as `holders.accountable` has it.

    `tree_known` is every region's parent, where the caller has read that already.
    """
    assigned = RoleAssignment.objects.in_force(at).filter(role__accountable=True).annotate(holder_name=_NAME).values("holder_name")
    whens = [When(region_id=region, then=Value(name)) for region, name in _by_region(at, tree_known).items()]
    found: Rows = rows.annotate(
        accountable_name=Coalesce(
            Subquery(assigned.filter(model_id=OuterRef("pk"))[:1]),
            Subquery(assigned.filter(family_id=OuterRef("family_id"))[:1]),
            Case(*whens, default=Value(VACANT)) if whens else Value(VACANT),
            output_field=CharField(),
        )
    )
    return found
