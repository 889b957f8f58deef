"""The first installation: who may do what afterwards, and that it happens once."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.portal.errors import Invalid
from stewardship.access import allowed_to
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.roles.models import Role
from stewardship.roles.starter import set_up

FIRST = {"organisation": "Harbour Bank", "username": "ines", "email": "ines@harbour.example", "full_name": "Inês Duarte"}


def run(**options: Any) -> str:
    out = StringIO()
    call_command("setup", generate_password=True, stdout=out, **(FIRST | options))
    return out.getvalue()


@pytest.mark.django_db
def test_the_first_person_may_configure_and_nothing_else() -> None:
    said = run()
    person = User.objects.get(username="ines")
    assert person.check_password(said.strip().rsplit(" ", 1)[-1])
    assert allowed_to(person, "roles:role:configure", None)
    assert allowed_to(person, "roles:assignment:assign_second_line", Region.objects.root())
    assert not allowed_to(person, "approvals:decision:make", Region.objects.root())
    assert person.is_staff
    assert not person.is_superuser


@pytest.mark.django_db
def test_it_happens_once() -> None:
    run()
    with pytest.raises(CommandError, match="set up already"):
        run(username="other", email="other@harbour.example")
    assert Region.objects.count() == 1
    assert not User.objects.filter(username="other").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "value"), [("password", "ines"), ("email", "no address"), ("username", "a b"), ("organisation", "")])
def test_what_is_wrong_is_named_and_nothing_is_written(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        set_up(**(FIRST | {"password": "a long enough passphrase"} | {field: value}))
    assert refusal.value.field == {"organisation": "name"}.get(field, field)
    assert not Region.objects.exists()
    assert not Role.objects.exists()
    assert not User.objects.filter(is_system=False).exists()
