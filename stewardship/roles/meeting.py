"""Which other assignments can be about the same model as one made on a given scope."""

from __future__ import annotations

from django.db.models import Q

from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.regions.models import Region
from stewardship.roles.models import Scope


def _above(regions: list[Region]) -> set[object]:
    return {node for region in regions for node in region.way_up()}


def meeting(scope: Scope) -> Q:
    """A filter on RoleAssignment: those whose scope shares a model, today, with `scope`."""
    if isinstance(scope, RegisteredModel):
        return Q(model=scope) | Q(family_id=scope.family_id) | Q(region_id__in=_above([scope.region]))
    if isinstance(scope, ModelFamily):
        regions = [scope.region, *Region.objects.filter(models__family=scope).distinct()]
        return Q(family=scope) | Q(model__family=scope) | Q(region_id__in=_above(regions))
    below = Region.objects.ids_below([scope.pk])
    families = ModelFamily.objects.filter(Q(region_id__in=below) | Q(models__region_id__in=below)).values("pk")
    return Q(region_id__in=below | _above([scope])) | Q(family_id__in=families) | Q(model__region_id__in=below)
