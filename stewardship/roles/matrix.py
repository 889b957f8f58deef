"""Configuring roles: what they may do, and which must be two people."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from stewardship.access import require
from stewardship.access.rights import check
from stewardship.journal.acting import acting
from stewardship.people.models import User
from stewardship.roles import granting
from stewardship.roles.errors import BadAssignment
from stewardship.roles.models import DecisionRight, Raci, Role, SeparationRule
from stewardship.roles.rights import RoleRight


def define_role(*, actor: User, slug: str, name: str, rights: Mapping[str, str] | None = None, **fields: object) -> Role:
    """A new role with its rights (right → R, A, C or I). Needs the right to configure roles at the root."""
    require(actor, RoleRight.CONFIGURE, None)
    with transaction.atomic(), acting(actor, f"Role {name} defined"):
        role = Role(slug=slug, name=name, **fields)
        role.full_clean()
        role.save(force_insert=True)
        set_rights(role, rights or {}, actor=actor)
    return role


def set_rights(role: Role, rights: Mapping[str, str], *, actor: User, reason: str = "") -> None:
    """Make the matrix row of this role exactly `rights`; everybody's grants follow in the same transaction. Raises UnknownRight."""
    require(actor, RoleRight.CONFIGURE, None)
    for right, raci in rights.items():
        check(right)
        if raci not in Raci.values:
            raise BadAssignment(_("%(raci)r is not R, A, C or I.") % {"raci": raci}, field="raci", remedy=_("Choose one of the four."))
    with transaction.atomic(), acting(actor, reason or f"Rights of {role} changed"), granting.once():
        existing = {row.right: row for row in DecisionRight.objects.select_for_update().filter(role=role)}
        for right, row in existing.items():
            if right not in rights:
                row.delete()
        for right, raci in rights.items():
            known = existing.get(right)
            if known is None:
                DecisionRight(role=role, right=right, raci=raci).save()
            elif known.raci != raci:
                known.raci = raci
                known.save(update_fields=["raci"])


def separate(first: Role, second: Role, *, actor: User, rationale: str = "") -> SeparationRule:
    """From now on these two roles over one model must be two people."""
    require(actor, RoleRight.CONFIGURE, None)
    with transaction.atomic(), acting(actor, rationale or f"{first} and {second} are two people"):
        rule = SeparationRule(first=first, second=second, rationale=rationale)
        rule.full_clean()
        rule.save(force_insert=True)
    return rule
