"""Grant a time-boxed exception from a rule."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from governance.policies import hooks
from governance.policies.errors import NotWaivable
from governance.policies.models import PolicyVersion, Rule, Waiver
from governance.policies.rights import WaiverRight
from stewardship.access import require
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User
from stewardship.regions.models import Region


def grant(
    *,
    actor: User,
    model: RegisteredModel,
    region: Region,
    rule: str,
    reason: str,
    compensating_control: str,
    expires_at: datetime,
    change_id: UUID | None = None,
) -> Waiver:
    """Except this model from this rule (policy/rule, or the bare key where only one rule has it) until `expires_at` (aware).

    It holds for targets in `region` and below. Raises NotWaivable naming the field when the rule is not in force anywhere or
    allows no exception, the region is for practising and the model is not, or something is missing.
    """
    require(actor, WaiverRight.GRANT, model)
    with transaction.atomic(), acting(actor, reason):
        now = moment()
        for field, text in (("reason", reason), ("compensating_control", compensating_control)):
            if not text.strip():
                raise NotWaivable(_("An exception needs this in words."), field=field, remedy=_("Say why, and what is done instead."))
        found = waivable(rule, model=model, region=region, until=expires_at, at=now)
        waiver = Waiver(
            model=model,
            region=region,
            rule=found.name,
            reason=reason,
            compensating_control=compensating_control,
            granted_at=now,
            expires_at=expires_at,
            change_id=change_id,
        )
        waiver.save()
        hooks.changed(model.region, actor=actor)
    return waiver


def waivable(rule: str, *, model: RegisteredModel, region: Region, until: datetime, at: datetime) -> Rule:
    """The rule of this name, from which this model may be excepted there; raises NotWaivable naming the field."""
    if until <= at:
        raise NotWaivable(_("An exception ends in the future."), field="expires_at", remedy=_("Give a later date."))
    found = named(rule, at)
    if not found.waivable:
        raise NotWaivable(
            _("'%s' allows no exception.") % found.title, field="rule", remedy=_("Comply, or ask for a new version of the policy.")
        )
    if region.practice and not model.region.practice:
        raise NotWaivable(
            _("%(region)s is for practising, and %(model)s is not.") % {"region": region, "model": model},
            field="region",
            remedy=_("Choose the region in which the model is to be excused."),
        )
    return found


def who_decides(rule: str, region: Region, at: datetime) -> Region:
    """The region whose routes decide about an exception that is asked for in `region`.

    A region cannot excuse itself from a rule that another one made: the nearest region above both (or one of the two) decides.
    A rule that cannot be found leaves the region itself; it is refused when it is granted.
    """
    try:
        of_policy = named(rule, at).version.policy.region
    except NotWaivable:
        return region
    shared = set(of_policy.ancestors_and_self())
    return next(node for node in reversed(region.ancestors_and_self()) if node in shared)


def named(rule: str, at: datetime) -> Rule:
    """The rule in force of this name; raises NotWaivable when there is none, or a bare key means several."""
    policy, slash, key = rule.strip().rpartition("/")
    rules = Rule.objects.filter(version__in=PolicyVersion.objects.in_force(at), key=key).select_related("version__policy__region")
    found: list[Rule] = list(rules.filter(version__policy__slug=policy) if slash else rules)
    if len(found) != 1:
        names = ", ".join(sorted(one.name for one in found))
        raise NotWaivable(
            _("'%s' is the name of several rules.") % rule if found else _("No rule '%s' is in force.") % rule,
            field="rule",
            remedy=_("Write one of: %s.") % names if found else _("Copy the name from the finding; it is written policy/rule."),
        )
    return found[0]
