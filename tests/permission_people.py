"""A person of every kind that the permission table knows, each with a client of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.people.tokens import AccessToken
from stewardship.roles.assign import assign
from stewardship.roles.matrix import define_role
from tests.cast import PASSWORD, Cast

_LEAD = (
    "threads:thread:comment",
    "inventory:version:register",
    "inventory:deployment:record",
    "evidence:artifact:attach",
    "changes:change:draft",
    "changes:change:submit",
    "alerts:alert:acknowledge",
    "alerts:alert:investigate",
    "escalation:run:acknowledge",
    "gate:verdict:ask",
)


def saved(row: Any) -> Any:
    """Saved by the system account."""
    with acting(system_user(), "The world"):
        row.save()
    return row


def everybody(cast: Cast) -> tuple[dict[str, User], dict[str, Client]]:
    """People by username; and a client for each kind of person that is a column of the table."""
    system, people, clients = system_user(), dict(cast.users), dict[str, Client]()
    views = dict.fromkeys(_views(), "R")
    viewer = define_role(actor=system, slug="viewer", name="viewer", rights=views)
    lead = define_role(actor=system, slug="technical-lead", name="technical lead", rights=views | dict.fromkeys(_LEAD, "R"))
    onlooker = define_role(actor=system, slug="onlooker", name="onlooker", rights={"inventory:model:view": "R"})
    made: dict[str, tuple[Any, str]] = {
        "vera": (viewer, "de"),
        "nora": (onlooker, "de"),
        "theo": (lead, "de"),
        "grace": (cast.roles["regional-admin"], "global"),
        "ida": (cast.roles["validator"], "de"),
        "sam": (None, "eu"),
        "yuki": (cast.roles["validator"], "jp"),  # decides where Bob may not
    }
    for username, (role, region) in made.items():
        with acting(system, "The world"):
            user = User.objects.create_user(
                username, f"{username}@bank.example", PASSWORD, full_name=username.title(), home_region=cast.regions[region]
            )
        if role is not None:
            assign(actor=system, role=role, user=user, region=cast.regions[region], rationale="The world")
        people[username] = user
    sam, ida = people["sam"], people["ida"]
    sam.is_superuser = sam.is_staff = True
    saved(sam)
    ida.is_active = False
    saved(ida)
    sessions = {
        "no role": "charlie",
        "viewer": "vera",
        "onlooker": "nora",
        "owner": "alice",
        "technical lead": "theo",
        "approver": "bob",
        "compliance": "dana",
        "executive": "erin",
        "regional admin": "frank",
        "global admin": "grace",
        "superuser": "sam",
        "inactive": "ida",
    }
    clients["anonymous"] = Client(raise_request_exception=False)
    for kind, username in sessions.items():
        client = Client(raise_request_exception=False)
        client.force_login(people[username], backend="allauth.account.auth_backends.AuthenticationBackend")
        clients[kind] = client
    for kind, username, scopes, live in (
        ("read token", "alice", ["read"], True),
        ("expired token", "alice", ["read", "write"], False),
        ("pipeline token", "pipeline", ["read", "write"], True),
    ):
        user = people[username]
        token, plain = AccessToken.issue(user=user, name=kind, scopes=scopes, days=30, actor=user)
        if not live:
            token.expires_at = timezone.now() - timedelta(seconds=1)
            saved(token)
        clients[kind] = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {plain}"})
    return people, clients


def _views() -> list[str]:
    from stewardship.access.rights import all_rights

    return [right for right in all_rights() if right.endswith(":view")]
