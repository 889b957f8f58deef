"""A region, family or model sets one parameter of a rule for itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from monitoring.thresholds import inherit
from monitoring.thresholds.errors import ThresholdRefused
from monitoring.thresholds.models import Override, Rule
from monitoring.thresholds.rights import RuleRight
from monitoring.thresholds.rules import Direction
from stewardship.access import require
from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.regions.models import Region

if TYPE_CHECKING:
    from stewardship.people.models import User


def override(
    *,
    actor: User,
    rule: Rule,
    parameter: str,
    value: Any,
    region: Region | None = None,
    family: ModelFamily | None = None,
    model: RegisteredModel | None = None,
    reason: str,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Override:
    """Set it, from now or from a date; refuses what would loosen what the node inherits, saying who set that."""
    made = Override(
        rule=rule,
        region=region,
        family=family,
        model=model,
        parameter=parameter,
        value=value,
        rationale=reason,
        valid_from=valid_from or moment(),
        valid_until=valid_until,
    )
    require(actor, RuleRight.CONFIGURE, _scope(made))
    with transaction.atomic(), acting(actor, reason):
        check(made)
        made.save()
    return made


def end(override: Override, *, actor: User, reason: str) -> None:
    """From now on the node inherits again; one that has not begun never will. Refuses one that has ended."""
    require(actor, RuleRight.CONFIGURE, _scope(override))
    with transaction.atomic(), acting(actor, reason):
        override.refresh_from_db(from_queryset=Override.objects.select_for_update(of=("self",)))
        now = moment()
        if override.valid_until is not None and override.valid_until <= now:
            raise ThresholdRefused(_("It has ended already."), field="valid_until", remedy=_("Nothing to do."))
        override.valid_until = max(now, override.valid_from + timedelta.resolution)  # the database wants an end after the start
        override.save(update_fields=["valid_until"])


def _scope(wanted: Override) -> Region | ModelFamily | RegisteredModel:
    scopes = [scope for scope in (wanted.region, wanted.family, wanted.model) if scope is not None]
    if len(scopes) != 1:
        raise ThresholdRefused(_("Say for which region, family or model."), field="region", remedy=_("Choose exactly one."))
    return scopes[0]


def check(wanted: Override) -> None:
    """Raise ThresholdRefused for a value that is none, out of place, or looser than what the node inherits."""
    rule, scope = wanted.rule, _scope(wanted)
    if wanted.parameter not in set(inherit.Parameter):
        raise ThresholdRefused(
            _("“%(name)s” is no parameter of a threshold.") % {"name": wanted.parameter},
            field="parameter",
            remedy=_("Choose one of: %(names)s.") % {"names": ", ".join(inherit.Parameter)},
        )
    if wanted.valid_until is not None and wanted.valid_until <= wanted.valid_from:
        raise ThresholdRefused(_("It would end before it begins."), field="valid_until", remedy=_("Choose a later end."))
    line = (scope if isinstance(scope, Region) else scope.region).ancestors_and_self()
    if rule.region not in line:
        raise ThresholdRefused(
            _("This rule holds below %(region)s only.") % {"region": rule.region}, field="region", remedy=_("Choose a region below it.")
        )
    parameter = inherit.Parameter(wanted.parameter)
    above = [inherit.Said(str(each.scope), inherit.Parameter(each.parameter), each.value) for each in _above(wanted, line)]
    said = inherit.Said(str(scope), parameter, wanted.value)
    direction = Direction(rule.direction)
    try:
        inherit.parse(direction, parameter, wanted.value)
        settled = inherit.settle(rule.base(), str(rule.region), [*above, said], direction, rule.freedom())
    except inherit.Unusable as error:
        raise ThresholdRefused(str(error), field="value", remedy=_("Enter it as the rule does.")) from error
    got = settled.get(parameter)
    if got is None or str(scope) in got.clamped:
        raise ThresholdRefused(
            _("This is looser than %(node)s allows.") % {"node": got.node if got else rule.region},
            field="value",
            remedy=_("Choose a stricter value, or ask %(node)s to make this parameter free.") % {"node": got.node if got else rule.region},
        )


def _above(wanted: Override, line: list[Region]) -> list[Override]:
    """What the nodes over this one say at the time it begins, root first."""
    depth = {region.pk: index for index, region in enumerate(line)}
    found = Override.objects.in_force(wanted.valid_from).filter(rule=wanted.rule, parameter=wanted.parameter).order_by("valid_from", "id")
    near: dict[int, Override] = {}
    for each in found.select_related("region", "family", "model"):
        if each.region_id in depth and each.region_id != wanted.region_id:
            near[depth[each.region_id]] = each
        elif wanted.model is not None and each.family_id == wanted.model.family_id and each.family_id is not None:
            near[len(line)] = each
    return [near[index] for index in sorted(near)]
