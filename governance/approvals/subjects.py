"""What notices and escalations of this slice lead to, whether they are still wanted, and which roles routes will ask for."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse

from governance.approvals import rules
from governance.approvals.models import Requirement, RouteRule
from governance.changes.models import ChangeRequest
from stewardship.coverage.needed import Need
from stewardship.regions.models import Region
from stewardship.roles.models import Role


def still_asked(requirement: UUID) -> bool:
    """Whether the people of a requirement are still being asked."""
    return Requirement.objects.asked().filter(pk=requirement).exists()


def link_of_requirement(requirement: UUID) -> str:
    """The page on which to decide."""
    change = Requirement.objects.values_list("stage__route__change", flat=True).get(pk=requirement)
    return reverse("change_detail", args=[change])


def link_of_change(change: UUID) -> str:
    """The page of a change."""
    return ChangeRequest(pk=change).get_absolute_url()


def needed_roles() -> Iterable[Need]:
    """The roles that active routes would ask, where each would look for them."""
    routes = list(RouteRule.objects.filter(active=True, human=True).select_related("region"))
    if not routes:
        return
    roles = {role.slug: role for role in Role.objects.all()}
    root = Region.objects.root()
    for route in routes:
        for stage in rules.read_stages(route.stages):
            for wanted in stage.requirements:
                if wanted.role in roles:
                    yield Need(roles[wanted.role], root if wanted.scope is rules.Scope.ROOT else route.region, wanted.scope.value)
