"""Grants are a cache of the roles: always the same as what the roles say, and a command that proves it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command

from stewardship.access import allowed_to, grants
from stewardship.access.models import RegionGrant
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region
from stewardship.roles import matrix
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]


def test_the_verbs_keep_grants_as_the_roles_say(cast: Cast) -> None:
    assert RegionGrant.objects.exists()
    assert grants.check() == []


def test_the_command_finds_and_repairs_every_difference(cast: Cast) -> None:
    lost = RegionGrant.objects.filter(user=cast.users["alice"]).order_by("pk").first()
    kept = RegionGrant.objects.filter(user=cast.users["bob"]).order_by("pk").first()
    assert lost is not None
    assert kept is not None
    RegionGrant.objects.filter(pk=lost.pk).delete()
    forged = RegionGrant.objects.create(
        user=cast.users["charlie"],
        permission=kept.permission,
        content_object=cast.regions["global"],
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        source=kept.source,
    )
    double = RegionGrant.objects.create(
        user=kept.user,
        permission=kept.permission,
        content_object=kept.content_object,
        valid_from=kept.valid_from,
        valid_until=kept.valid_until,
        source=kept.source,
    )
    assert [(found.missing, found.spec.user) for found in grants.check()] == sorted(
        [(True, cast.users["alice"].pk), (False, cast.users["charlie"].pk), (False, kept.user_id)], key=lambda pair: str(pair[1])
    )
    with pytest.raises(CommandError, match="3 grants differ"):
        call_command("grants", "--check", stdout=StringIO())
    out = StringIO()
    call_command("grants", stdout=out)
    assert "missing" in out.getvalue()
    assert "superfluous" in out.getvalue()
    assert "3 grants put right" in out.getvalue()
    call_command("grants", "--check", stdout=out)
    assert "agree" in out.getvalue()
    assert not RegionGrant.objects.filter(pk__in=[forged.pk, max(double.pk, kept.pk)]).exists()


def test_rebuilding_nobody_does_nothing(cast: Cast) -> None:
    before = RegionGrant.objects.count()
    grants.rebuild_for([])
    grants.rebuild_for([cast.users["alice"], cast.users["bob"].pk])
    assert RegionGrant.objects.count() == before


def test_editing_the_matrix_changes_what_people_may_do(cast: Cast) -> None:
    ivan, eu = cast.users["ivan"], cast.regions["eu"]
    assert not allowed_to(ivan, "regions:region:configure", eu)
    before = {row.right: row.raci for row in cast.roles["responder"].decision_rights.all()}
    matrix.set_rights(cast.roles["responder"], {**before, "regions:region:configure": "R"}, actor=system_user())
    assert allowed_to(ivan, "regions:region:configure", eu)
    matrix.set_rights(cast.roles["responder"], {**before, "regions:region:configure": "C"}, actor=system_user())
    assert not allowed_to(ivan, "regions:region:configure", eu), "being consulted is not being allowed"
    matrix.set_rights(cast.roles["responder"], before, actor=system_user())
    assert grants.check() == []


def test_a_registered_source_is_asked_once(cast: Cast) -> None:
    from stewardship.roles.granting import specs

    grants.register_source(specs)
    assert grants.check() == []


def test_rights_that_are_gone_take_their_grants_with_them(cast: Cast) -> None:
    scope = ContentType.objects.get_for_model(Region)
    stale = Permission.objects.create(content_type=scope, codename="old:thing:done", name="old")
    RegionGrant.objects.create(
        user=cast.users["alice"],
        permission=stale,
        content_object=cast.regions["de"],
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        source=cast.users["alice"].pk,
    )
    grants.ensure_permissions()
    assert not Permission.objects.filter(codename="old:thing:done").exists()
    assert grants.check() == []


def test_missing_permission_rows_are_made_again(db: None) -> None:
    Permission.objects.filter(codename="inventory:model:view").delete()
    grants.ensure_permissions()
    assert Permission.objects.filter(codename="inventory:model:view").count() == 3


def test_a_user_with_a_right_defined_later_gets_it_on_rebuild(cast: Cast) -> None:
    assert {spec.right for spec in grants._wanted(frozenset({cast.users["alice"].pk}))} <= set(
        Permission.objects.values_list("codename", flat=True)
    )
    assert User.objects.active().count() == len(cast.users)


BANNED = re.compile(r"guardian\.shortcuts|\.has_perm\(|\.has_perms\(|has_module_perms\(|get_objects_for_user")


def test_nobody_asks_guardian_or_django_for_permission() -> None:
    """Their answers ignore the dates of a grant; only stewardship.access may come near them."""
    offenders = [
        str(path.relative_to(ROOT))
        for folder in ("config", "stewardship", "monitoring", "governance", "demo")
        for path in (ROOT / folder).rglob("*.py")
        if "access" not in path.parts and BANNED.search(path.read_text())
    ]
    assert offenders == []
