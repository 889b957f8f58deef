"""The first installation: a root region, the roles of starter.toml, and the first person, who holds them all."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from config.portal.errors import Conflict, Invalid
from stewardship.access.rights import all_rights
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region
from stewardship.roles.assign import assign
from stewardship.roles.matrix import define_role
from stewardship.roles.models import Raci

STARTER = Path(__file__).with_name("starter.toml")
EVERY = {"@view": ":view", "@configure": ":configure"}


def refuse_second() -> None:
    """Raises Conflict where there is a region already: then people of this installation decide, not a command."""
    if Region.objects.exists():
        raise Conflict(
            _("This installation is set up already."), field="region", remedy=_("Make further people and regions in the configuration.")
        )


def set_up(*, organisation: str, username: str, email: str, full_name: str, password: str) -> User:
    """Make the root region `organisation`, the starter's roles, and this person with all of them.

    Raises Conflict in an installation that is set up already, and Invalid naming the field. Then nothing is written.
    """
    system = system_user()
    with transaction.atomic(), acting(system, _("The installation is set up")):
        refuse_second()
        region = Region(code="root", name=organisation)
        _check(region)
        region.save()
        person = User(username=username, email=email, full_name=full_name, home_region=region, is_staff=True)
        _check(person, exclude=["password"])
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), field="password", remedy=_("Choose another password.")) from error
        person.set_password(password)
        person.save()
        for row in tomllib.loads(STARTER.read_text(encoding="utf-8"))["roles"]:
            rights = {right: Raci.RESPONSIBLE.value for wanted in row.pop("rights") for right in _expanded(wanted)}
            role = define_role(actor=system, rights=rights, **row)
            assign(actor=system, role=role, user=person, region=region, rationale=_("The first person of the installation"))
    return person


def _expanded(wanted: str) -> list[str]:
    return [right for right in all_rights() if right.endswith(EVERY[wanted])] if wanted in EVERY else [wanted]


def _check(row: Any, exclude: list[str] | None = None) -> None:
    try:
        row.full_clean(exclude=exclude)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(" ".join(messages), field=field, remedy=_("Correct it and run the command again.")) from error
