"""Which route rule decides about a change: the nearest region's, the highest priority whose condition holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from governance.approvals import rules
from governance.approvals.errors import NoRoute
from governance.approvals.models import RouteRule
from governance.approvals.rights import RouteRight
from governance.changes.models import ChangeRequest, Kind
from governance.policies.cel import Outcome, compile_expression
from governance.policies.waive import who_decides
from stewardship.access.rights import who_can
from stewardship.journal.acting import moment


@dataclass(frozen=True)
class Chosen:
    """The rule, why it, and what was said about the others."""

    rule: RouteRule
    why: str
    considered: tuple[str, ...]


def choose(change: ChangeRequest, facts: Mapping[str, Any]) -> Chosen:
    """The route rule for a change; raises NoRoute with every rule that was considered and who can configure one."""
    asked = change.region
    if change.kind == Kind.WAIVER:
        asked = who_decides(change.waived_rule, asked, moment())
    path = list(reversed(asked.ancestors_and_self()))
    distance = {region.pk: index for index, region in enumerate(path)}
    found = {
        rule.pk: rule for rule in RouteRule.objects.filter(kind=change.kind, active=True, region__in=distance).select_related("region")
    }
    answers: dict[str, Outcome] = {}

    def holds(when: str) -> bool | None:
        answers[when] = compile_expression(when).evaluate(facts)
        value: bool | None = answers[when].value
        return value

    choice = rules.choose(
        [rules.Candidate(rule.pk, rule.name, distance[rule.region_id], rule.priority, rule.when) for rule in found.values()], holds
    )
    if choice.stopped_by is not None:
        raise _not_known(found[choice.stopped_by.key], answers[choice.stopped_by.when].reason)
    if choice.chosen is None:
        considered = _named(choice)
        raise NoRoute(
            _("No approval route covers a change of kind “%(kind)s” in %(region)s.%(considered)s")
            % {
                "kind": change.get_kind_display(),
                "region": asked,
                "considered": _(" Considered: %s.") % ", ".join(considered) if considered else "",
            },
            field="route",
            remedy=_("Ask somebody who is %(roles)s to configure one.") % {"roles": roles}
            if (roles := _who_configures())
            else _("No role carries the right to configure routes yet; ask whoever assigns decision rights."),
        )
    rule = found[choice.chosen.key]
    with translation.override("en"):  # frozen into the route, for readers of every language
        return Chosen(rule=rule, why=_why(rule), considered=_named(choice))


def _named(choice: rules.Choice[UUID]) -> tuple[str, ...]:
    """The rules that were considered and passed over, each with why."""
    return tuple(f"{each.name} ({_(why.value)})" for each, why in choice.considered)


def _why(rule: RouteRule) -> str:
    said = {"when": rule.when.strip(), "rule": rule.name, "region": rule.region}
    if said["when"] not in ("", "true"):
        return _("Because %(when)s holds, as “%(rule)s” of %(region)s says.") % said
    return _("Every change of this kind in %(region)s goes this way, as “%(rule)s” says.") % said


def _not_known(rule: RouteRule, why: str) -> NoRoute:
    """Whether a rule applies cannot be said, so neither can who must agree."""
    return NoRoute(
        _("Whether the route “%(rule)s” of %(region)s applies is not known (%(when)s): %(why)s.")
        % {"rule": rule.name, "region": rule.region, "when": rule.when.strip(), "why": why},
        field="route",
        remedy=_("See that this is known, then submit again; or ask somebody who is %(roles)s to change the route.")
        % {"roles": _who_configures() or _("allowed to configure routes")},
    )


def _who_configures() -> str:
    return _(" or ").join(who_can(RouteRight.CONFIGURE))
