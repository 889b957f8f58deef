"""Where a needed role is held by nobody, and which models have nobody accountable: in sets, then confirmed one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from stewardship.coverage.needed import Need
from stewardship.escalation.models import Step
from stewardship.inventory.models import RegisteredModel
from stewardship.regions.models import Region
from stewardship.roles.holders import accountable, holders
from stewardship.roles.models import Role, RoleAssignment


def unaccounted(at: datetime) -> list[RegisteredModel]:
    """Models in life that nobody is accountable for."""
    in_force = RoleAssignment.objects.in_force(at).filter(role__accountable=True)
    # An assignment to somebody who left hides a wider one, so what it covers is looked at too.
    candidates = RegisteredModel.objects.not_retired().filter(
        ~_covered(in_force.filter(user__is_active=True)) | _covered(in_force.filter(user__is_active=False))
    )
    return [model for model in candidates.select_related("region") if accountable(model, at) is None]


def _covered(assignments: Iterable[RoleAssignment]) -> Q:
    regions: set[UUID] = set()
    families: set[UUID] = set()
    models: set[UUID] = set()
    for each in assignments:
        for found, scope in ((regions, each.region_id), (families, each.family_id), (models, each.model_id)):
            if scope is not None:
                found.add(scope)
    return Q(region_id__in=Region.objects.ids_below(regions)) | Q(family_id__in=families) | Q(pk__in=models)


def vacancies(needs: Iterable[Need], at: datetime) -> dict[tuple[Role, Region], bool]:
    """For every role and region in which it is needed, whether it is vacant there."""
    used = set(RegisteredModel.objects.not_retired().order_by().values_list("region_id", flat=True).distinct())
    regions = {region.pk: region for region in Region.objects.all()}
    found: dict[tuple[Role, Region], bool] = {}
    for need in needs:
        below = {need.region.pk} if need.scope == Step.Scope.ROOT else used & Region.objects.ids_below([need.region.pk])
        for region in (regions[pk] for pk in below):
            vacant = not holders(need.role, region=region, at=at)
            if vacant and need.scope == Step.Scope.MODEL:
                vacant = _some_model_without(need.role, region, at)
            found[need.role, region] = found.get((need.role, region), False) or vacant
    return found


def _some_model_without(role: Role, region: Region, at: datetime) -> bool:
    nearer = RoleAssignment.objects.in_force(at).filter(Q(model=OuterRef("pk")) | Q(family=OuterRef("family_id")), role=role)
    return RegisteredModel.objects.not_retired().filter(~Exists(nearer), region=region).exists()
