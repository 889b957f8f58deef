"""What the facts behind an answer look like, as one short text that the same SQL statement can read.

History tables and append-only facts only grow, so the newest id or the number of rows changes whenever anything of
its kind does. Two equal texts mean that nothing an answer depends on was written in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from django.db.models import F, Func, Model, OuterRef, Subquery
from django.db.models.expressions import Combinable

from governance.changes.models import ChangeRequest, RollbackPlan
from governance.evidence.models import Artifact
from governance.policies.models import PolicyVersion, Rule, Waiver
from governance.risk.models import Assessment
from monitoring.alerts.models import Alert
from stewardship.dossiers.models import Revision, Template
from stewardship.inventory.models import Deployment, Environment, ModelVersion, RegisteredModel
from stewardship.people.models import Absence, Delegation, Membership, User
from stewardship.regions.models import Bound, Region, Setting
from stewardship.roles.models import Role, RoleAssignment

# Configuration is small and changes seldom, so that any change of it makes every standing stale.
CONFIGURATION: tuple[type[Model], ...] = (
    Template, Role, RoleAssignment, Membership, Absence, Delegation, User, Region, Bound, Environment,
)  # fmt: skip
# Nouns whose history tells whether something about this model has changed.
OF_MODEL: tuple[tuple[type[Model], str], ...] = (
    (RegisteredModel, "id"),
    (ModelVersion, "model_id"),
    (Deployment, "model_id"),
    (ChangeRequest, "model_id"),
    (Alert, "model_id"),
    (Waiver, "model_id"),
)


def _newest(history: Any) -> Subquery:
    return Subquery(history.order_by("-history_id").values("history_id")[:1])


def _number(history: Any) -> Subquery:
    # A number, not the newest id: a transaction that took its id early and commits late would not change the newest.
    return Subquery(history.order_by().annotate(rows_there=Func(F("pk"), function="COUNT")).values("rows_there"))


@cache
def looks() -> Mapping[str, Combinable]:
    """Annotations for a queryset of ModelVersion: one value per kind of fact.

    Made once: simple-history builds a manager class at every access to `history`, which took half the time of a question.
    """
    model, version = OuterRef("model_id"), OuterRef("pk")
    found: dict[str, Any] = {f"m{index}": _newest(each.history.all()) for index, each in enumerate(CONFIGURATION)}  # type: ignore[attr-defined]
    for index, (each, path) in enumerate(OF_MODEL):
        found[f"o{index}"] = _number(each.history.filter(**{path: model}))  # type: ignore[attr-defined]
    for index, rules in enumerate((PolicyVersion, Rule)):
        found[f"p{index}"] = _number(rules.history.all())
    found["setting"] = Subquery(Setting.objects.order_by("-at").values("at")[:1])
    found["evidence"] = _number(Artifact.history.filter(version_id=version))
    its_changes = ChangeRequest.objects.filter(version=OuterRef(OuterRef("pk")))
    found["plans"] = _number(RollbackPlan.history.filter(change_id__in=its_changes.values("pk")))
    found["assessed"] = Subquery(Assessment.objects.filter(model=model).order_by("-at").values("at")[:1])
    found["dossier"] = Subquery(Revision.objects.filter(dossier__model=model).order_by("-at").values("at")[:1])
    return MappingProxyType(found)


def text_of(row: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    """The marks of one row, in the order of their names."""
    return "|".join("" if row[name] is None else str(row[name]) for name in sorted(names))
