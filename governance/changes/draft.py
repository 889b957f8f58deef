"""Opening a change: a number, what is known already, and who answers for it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from config.portal.errors import Invalid
from governance.changes.models import ASKED, ChangeRequest, Counter, Kind, RollbackPlan
from governance.changes.rights import ChangeRight
from governance.changes.traced import trace
from stewardship.access import require
from stewardship.inventory.models import Environment, ModelVersion, RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.roles.holders import accountable


def draft(
    *,
    actor: User,
    kind: str,
    model: RegisteredModel,
    region: Region | None = None,
    version: ModelVersion | None = None,
    environment: Environment | None = None,
    title: str = "",
    owner: User | None = None,
    origin_kind: str = "",
    origin_reference: str = "",
    rollback: dict[str, Any] | None = None,
    **fields: Any,
) -> ChangeRequest:
    """A new draft, with a number of its own. The region is the model's and the owner its accountable person where not given.

    `origin_reference` is an address, id or number where the kind of origin is something in the portal, words otherwise.
    `rollback` takes the fields of the plan. Raises Invalid naming the field, Forbidden or NotVisible.
    """
    require(actor, ChangeRight.DRAFT, model)
    if kind not in Kind.values:
        raise Invalid(
            _("%(kind)s is not a kind of change.") % {"kind": kind}, field="kind", remedy=_("Use one of %s.") % ", ".join(Kind.values)
        )
    for name in fields:
        if name not in ASKED:
            raise Invalid(_("%(name)s is not a field of a change.") % {"name": name}, field=name)
    origin = trace(actor, origin_kind, origin_reference)
    with transaction.atomic(), acting(actor, _("Drafted")):
        change = ChangeRequest(
            number=Counter.take("change"),
            kind=kind,
            model=model,
            region=region or model.region,
            version=version,
            environment=environment,
            title=title or suggested_title(kind, model, version, environment, region or model.region),
            owner=owner or accountable(model, moment()) or actor,
            origin_kind=origin.kind,
            origin_id=origin.id,
            origin_label=origin.label,
            drafted_by=actor,
            drafted_at=moment(),
            **fields,
        )
        change.check_parts()
        change.save(force_insert=True)
        if rollback:
            RollbackPlan.write(change, rollback)
    return change


def suggested_title(
    kind: str, model: RegisteredModel, version: ModelVersion | None, environment: Environment | None, region: Region
) -> str:
    """What most people would call it."""
    what = f"{model.name} {version.label}" if version else model.name
    where = f"{environment.name}, {region.name}" if environment else region.name
    return f"{Kind(kind).label}: {what} ({where})"[:160]
