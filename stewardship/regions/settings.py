"""Values that regions set: which one holds where, on which day, as known when."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from config.portal.errors import Conflict, Invalid
from config.portal.permission import permits
from stewardship.journal.acting import acting, moment
from stewardship.regions import rules
from stewardship.regions.errors import NotYours, OutOfBounds, UnknownParameter
from stewardship.regions.models import Bound, Region, Setting
from stewardship.regions.rights import RegionRight


@dataclass(frozen=True)
class Resolved:
    """The value in force, the region that set it, and whether a nearer region's wish was cut back."""

    value: Any
    region: Region
    clamped: bool


def _in_force(path: list[Region], at: datetime, known: datetime | None, parameter: str | None) -> dict[str, dict[UUID, Any]]:
    rows = Setting.objects.filter(region__in=path, valid_from__lte=at).filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at))
    if known is not None:
        rows = rows.filter(at__lte=known)
    if parameter is not None:
        rows = rows.filter(parameter=parameter)
    found: defaultdict[str, dict[UUID, Any]] = defaultdict(dict)
    for setting in rows.order_by("number"):  # a later number replaces an earlier one
        found[setting.parameter][setting.region_id] = setting.value
    return found


def _resolve(path: list[Region], bound: Bound, values: dict[UUID, Any]) -> Resolved | None:
    chain = [(node.pk, values[node.pk]) for node in path if values.get(node.pk) is not None]
    chosen = rules.combine(chain, bound.limits)
    if chosen is None:
        return None
    return Resolved(chosen.value, next(node for node in path if node.pk == chosen.node), chosen.clamped)


def resolve(region: Region, parameter: str, at: datetime, *, known: datetime | None = None) -> Resolved | None:
    """What holds for this region at `at`, as recorded up to `known` (all, when not given); None when nobody set it.

    Raises UnknownParameter when no bound names the parameter.
    """
    bound = Bound.objects.filter(parameter=parameter).first()
    if bound is None:
        raise UnknownParameter(
            _("There is no parameter %(parameter)r.") % {"parameter": parameter}, field="parameter", remedy=_("Add a bound for it first.")
        )
    path = region.ancestors_and_self()
    return _resolve(path, bound, _in_force(path, at, known, parameter).get(parameter, {}))


def resolve_all(region: Region, at: datetime, *, known: datetime | None = None) -> dict[str, Resolved]:
    """Every parameter that somebody set, for this region at `at`; three queries."""
    path = region.ancestors_and_self()
    values = _in_force(path, at, known, None)
    found = {}
    for bound in Bound.objects.filter(parameter__in=values):
        resolved = _resolve(path, bound, values[bound.parameter])
        if resolved is not None:
            found[bound.parameter] = resolved
    return found


def set_value(
    region: Region,
    parameter: str,
    value: Any,
    *,
    actor: Any,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    reason: str = "",
) -> Setting:
    """Set a parameter for a region (None: as the region above). Raises OutOfBounds when the value could not hold as it is."""
    if not permits(actor, RegionRight.CONFIGURE, region):
        raise NotYours(_("You may not configure %(region)s.") % {"region": region}, remedy=_("Ask somebody who configures this region."))
    bound = Bound.objects.filter(parameter=parameter).first()
    if bound is None:
        raise UnknownParameter(
            _("There is no parameter %(parameter)r.") % {"parameter": parameter}, field="parameter", remedy=_("Add a bound for it first.")
        )
    with acting(actor, reason), transaction.atomic():
        starts = valid_from or moment()
        if valid_until is not None and valid_until <= starts:
            raise Invalid(_("It would end before it starts."), field="valid_until", remedy=_("Choose a later end."))
        _check_within(region, bound, value, starts)
        number = Setting.objects.filter(region=region, parameter=parameter).count() + 1
        try:
            with transaction.atomic():
                setting = Setting(
                    region=region, parameter=parameter, value=value, valid_from=starts, valid_until=valid_until, number=number
                )
                setting.save()
        except IntegrityError as error:
            raise Conflict(_("Somebody else set this value just now."), field="value", remedy=_("Look at it again.")) from error
    return setting


def _check_within(region: Region, bound: Bound, value: Any, at: datetime) -> None:
    if value is None:
        return
    if rules.within(value, bound.limits) != value:
        low, high = ("…" if end is None else end for end in (bound.limits.low, bound.limits.high))
        raise OutOfBounds(
            _("%(value)s is outside %(low)s to %(high)s.") % {"value": value, "low": low, "high": high},
            field="value",
            remedy=_("Choose a value inside this range."),
        )
    if region.parent is None:
        return
    above = resolve(region.parent, bound.parameter, at)
    if above is None or bound.combine == "free":
        return
    chosen = rules.combine([(above.region.pk, above.value), (region.pk, value)], bound.limits)
    if chosen is not None and chosen.clamped:
        raise OutOfBounds(
            _("%(above)s set %(limit)s; %(region)s may not set %(value)s.")
            % {"above": above.region, "limit": above.value, "region": region, "value": value},
            field="value",
            remedy=f"{bound.get_combine_display()}.",
        )
