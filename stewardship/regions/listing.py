"""The region filter of every list: a region always means the region with everything below it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.portal.tables import Filter
from stewardship.regions import tree
from stewardship.regions.models import Region

FOR_REAL = "~"  # a value of the filter that can be no code: every region that is not for practising


def below(code: str) -> frozenset[UUID]:
    """The region with this code and all below it, as ids; one query.

    Regions for practising stay out of figures, so they are left out below a region that is not one itself.
    """
    parents: dict[UUID, UUID | None] = {}
    practice: set[UUID] = set()
    chosen: UUID | None = None
    for pk, parent, is_practice, its_code in Region.objects.values_list("id", "parent_id", "practice", "code"):
        parents[pk] = parent
        if is_practice:
            practice.add(pk)
        if its_code == code:
            chosen = pk
    if chosen is None:
        return frozenset()
    found = tree.below(parents, [chosen])
    return found if chosen in practice else found - practice


def region_filter(right: str, lookup: str = "region_id") -> Filter:
    """`?region=<code>` over the regions where the person holds `right`; `lookup` leads from a row to its region's id.

    Where there are regions for practising, one more choice leaves them out, as figures do.
    """

    def choices(request: HttpRequest) -> list[tuple[str, Any]]:
        real = [(FOR_REAL, _("all but practice"))] if Region.objects.for_practice() else []
        return [*real, *Region.objects.allowed(request.user, right).order_by("name").values_list("code", "name")]

    def narrow(rows: QuerySet[Any], code: str) -> QuerySet[Any]:
        if code == FOR_REAL:
            return rows.exclude(**{f"{lookup}__in": Region.objects.for_practice()})
        return rows.filter(**{f"{lookup}__in": below(code)})

    return Filter("region", _("Region"), choices=choices, apply=narrow)
