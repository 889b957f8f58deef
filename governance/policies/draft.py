"""Policies are written, and rewritten, as drafts."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.portal.errors import Conflict
from governance.policies.models import Policy, PolicyVersion, Rule, Status
from governance.policies.rights import PolicyRight
from stewardship.access import require
from stewardship.journal.acting import acting
from stewardship.people.models import User
from stewardship.regions.models import Region

CARRIED = (
    "key", "title", "applies_when", "expression", "severity", "rationale", "remedy", "remedy_role_id", "clause_id", "waivable", "order",
)  # fmt: skip


def create_policy(*, actor: User, slug: str, name: str, region: Region, description: str = "") -> PolicyVersion:
    """A new policy of this region with its first, empty draft."""
    require(actor, PolicyRight.CONFIGURE, region)
    policy = Policy(slug=slug, name=name, region=region, description=description)
    policy.clean_fields()
    with acting(actor):
        try:
            with transaction.atomic():
                policy.save()
                version = PolicyVersion(policy=policy, number=1)
                version.save()
        except IntegrityError:
            raise Conflict(_("There is a policy '%s' already.") % slug, field="slug", remedy=_("Choose another slug."))
    return version


def next_version(policy: Policy, *, actor: User, notes: str = "") -> PolicyVersion:
    """A draft with the rules of the latest version, ready to be changed; raises Conflict while there is a draft."""
    require(actor, PolicyRight.CONFIGURE, policy)
    with transaction.atomic(), acting(actor, notes):
        # The policy row is the lock: two people drafting at once get one draft and one message.
        Policy.objects.select_for_update().get(pk=policy.pk)
        latest = policy.versions.order_by("-number").first()
        if latest is not None and latest.status == Status.DRAFT:
            raise Conflict(_("Version %d is a draft already.") % latest.number, field="version", remedy=_("Change that one, or drop it."))
        draft = PolicyVersion(policy=policy, number=latest.number + 1 if latest else 1, notes=notes)
        draft.save()
        for rule in latest.rules.all() if latest else ():
            Rule(version=draft, **{name: getattr(rule, name) for name in CARRIED}).save()
    return draft


def add_rule(version: PolicyVersion, *, actor: User, key: str, title: str, expression: str, **fields: object) -> Rule:
    """A rule of a draft; `fields` are the other fields of Rule. Raises ExpressionError or PolicyIsFixed."""
    require(actor, PolicyRight.CONFIGURE, version.policy)
    rule = Rule(version=version, key=key, title=title, expression=expression, **fields)
    rule.clean_fields(exclude=["version"])
    with acting(actor):
        rule.save()
    return rule
