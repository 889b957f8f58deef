"""What the facts behind an answer look like, as one short text that the same SQL statement can read.

History tables and append-only facts only grow, so the number of rows changes whenever anything of its kind does. It is
a number and not the newest id: a transaction that took its id early and commits late would not change the newest.
Two equal texts mean that nothing an answer depends on was written in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from django.db.models import F, Func, IntegerField, Model, OuterRef, Subquery
from django.db.models.expressions import Combinable

from governance.approvals.models import Requirement
from governance.changes.models import ChangeRequest, RollbackPlan
from governance.evidence.models import Artifact
from governance.policies.models import Policy, PolicyVersion, Rule, Waiver
from governance.risk.models import Assessment
from monitoring.alerts.models import Alert
from stewardship.dossiers.models import Revision, Template
from stewardship.inventory.models import Deployment, Environment, ModelVersion, RegisteredModel
from stewardship.people.models import Absence, Delegation, Membership, User
from stewardship.regions.models import Bound, Region, Setting
from stewardship.roles.models import DecisionRight, Role, RoleAssignment

# Configuration is small and changes seldom, so that any change of it makes every standing stale.
CONFIGURATION: tuple[type[Model], ...] = (
    Policy, PolicyVersion, Rule, Template, Role, DecisionRight, RoleAssignment, Membership, Absence, Delegation, User, Region, Bound,
    Environment,
)  # fmt: skip
# Nouns whose history tells whether something about this model has changed. An answer looks at other versions too: what runs
# there now is compared with the one that is asked about, and may be said instead of it.
OF_MODEL: tuple[tuple[type[Model], str], ...] = (
    (RegisteredModel, "id"),
    (ModelVersion, "model_id"),
    (Deployment, "model_id"),
    (ChangeRequest, "model_id"),
    (Alert, "model_id"),
    (Waiver, "model_id"),
)
# The same for what hangs on one of those: it never changes hands, so that the live row says whose it is.
BELOW_MODEL: tuple[tuple[type[Model], str, str], ...] = (
    (Artifact, "id", "version__model"),
    (RollbackPlan, "id", "change__model"),
    (Requirement, "id", "stage__route__change__model"),
)
# Facts are written once and never changed.
FACTS: tuple[tuple[type[Model], str], ...] = ((Assessment, "model"), (Revision, "dossier__model"))


def _number(rows: Any) -> Subquery:
    return Subquery(rows.order_by().annotate(rows_there=Func(F("pk"), function="COUNT", output_field=IntegerField())).values("rows_there"))


@cache
def looks() -> Mapping[str, Combinable]:
    """Annotations for a queryset of ModelVersion: one value per kind of fact.

    Made once: simple-history builds a manager class at every access to `history`, which took half the time of a question.
    """
    model = OuterRef("model_id")
    found: dict[str, Any] = {f"c{index:02}": _number(each.history.all()) for index, each in enumerate(CONFIGURATION)}  # type: ignore[attr-defined]
    found["setting"] = _number(Setting.objects.all())
    for index, (each, path) in enumerate(OF_MODEL):
        found[f"o{index}"] = _number(each.history.filter(**{path: model}))  # type: ignore[attr-defined]
    for index, (each, key, path) in enumerate(BELOW_MODEL):
        its = each._default_manager.filter(**{path: OuterRef(OuterRef("model_id"))})
        found[f"b{index}"] = _number(each.history.filter(**{f"{key}__in": its.order_by().values("pk")}))  # type: ignore[attr-defined]
    for index, (each, path) in enumerate(FACTS):
        found[f"f{index}"] = _number(each._default_manager.filter(**{path: model}))
    return MappingProxyType(found)


def text_of(row: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    """The marks of one row, in the order of their names."""
    return "|".join("" if row[name] is None else str(row[name]) for name in sorted(names))
