"""Which roles must be held, and where: declared by whatever would have nobody to turn to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stewardship.escalation.models import Step
from stewardship.regions.models import Region
from stewardship.roles.models import Role


@dataclass(frozen=True)
class Need:
    """A role, and how it is asked for: nearest to each model below the region, in each region below it, or only there (root)."""

    role: Role
    region: Region
    scope: str


_needs: list[Callable[[], Iterable[Need]]] = []


def register(needed_roles: Callable[[], Iterable[Need]]) -> None:
    """Declare who needs which roles; called in AppConfig.ready()."""
    if needed_roles not in _needs:
        _needs.append(needed_roles)


def needs() -> list[Need]:
    """Every need, each once."""
    return list(dict.fromkeys(need for needed_roles in _needs for need in needed_roles()))


def of_paths() -> Iterable[Need]:
    """The roles that escalation paths would call."""
    steps = list(Step.objects.select_related("role", "path__region"))
    root = Region.objects.root() if any(step.scope == Step.Scope.ROOT for step in steps) else None
    for step in steps:
        yield Need(step.role, root if root is not None and step.scope == Step.Scope.ROOT else step.path.region, step.scope)
