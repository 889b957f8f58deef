"""Who works at the fictional bank, what each role may do, and who holds which role where."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password

from demo.data import read
from demo.world import World
from stewardship.access.rights import all_rights
from stewardship.journal.acting import acting
from stewardship.people.models import User
from stewardship.people.tokens import AccessToken
from stewardship.roles.assign import assign
from stewardship.roles.matrix import define_role, separate
from stewardship.roles.models import Role

TOKEN_DAYS = 366


def password() -> str:
    """The one password of all, published with the example."""
    return str(read("people")["password"])


def set_up(world: World) -> None:
    """Roles, people, and who holds what."""
    data = read("people")
    with acting(world.system, "The organisation decides who does what", at=world.beginning):
        roles = {row["slug"]: _role(world, row) for row in data["roles"]}
        for row in data["separations"]:
            separate(roles[row["first"]], roles[row["second"]], actor=world.system, rationale="Nobody checks their own work.")
        # One hash for all: they share one published password, and hashing it for each costs as much as all the rest.
        hashed = make_password(password())
        for row in data["people"]:
            world.people[row["username"]] = _person(world, row, hashed)
        for row in data["people"]:
            for role, region in row["roles"]:
                assign(
                    actor=world.system,
                    role=roles[role],
                    user=world.people[row["username"]],
                    region=world.regions[region],
                    rationale=f"{row['name']}: {row['kind']}",
                )


def find(world: World) -> None:
    """The same people, where they were made before."""
    world.people = {user.username: user for user in User.objects.all()}


def _role(world: World, row: dict[str, object]) -> Role:
    fields = {name: value for name, value in row.items() if name not in ("slug", "name", "rights")}
    rights = {right: "A" if row.get("accountable") else "R" for right in _expanded(row["rights"])}
    return define_role(actor=world.system, slug=str(row["slug"]), name=str(row["name"]), rights=rights, **fields)


def _expanded(wanted: object) -> list[str]:
    """`@read` and `@configure` stand for every right with that verb."""
    assert isinstance(wanted, list)
    verbs = {"@read": ":view", "@configure": ":configure"}
    found: list[str] = []
    for right in wanted:
        found += [each for each in all_rights() if each.endswith(verbs[right])] if right in verbs else [right]
    return list(dict.fromkeys(found))


def _person(world: World, row: dict[str, Any], hashed: str) -> User:
    configures = any(role == "regional-admin" for role, _region in row["roles"])
    person = User(
        username=row["username"],
        email=f"{row['username']}@nordhaven.example",
        full_name=row["name"],
        time_zone=row["zone"],
        home_region=world.regions[str(row["home"])],
        password=hashed,
        is_staff=configures,
    )
    person.save()
    return person


def issue_tokens(world: World) -> list[dict[str, object]]:
    """A token for each person, and what $VAR/demo.json says of them."""
    data = read("people")
    found: list[dict[str, object]] = []
    for row in data["people"]:
        person = world.people[row["username"]]
        _token, plain = AccessToken.issue(user=person, name="Worked example", scopes=["read", "write"], days=TOKEN_DAYS, actor=person)
        found.append(
            {
                "username": row["username"],
                "name": row["name"],
                "kind": row["kind"],
                "password": password(),
                "roles": [f"{role}@{region}" for role, region in row["roles"]],
                "token": plain,
            }
        )
    return found
