"""The fixed cast of every test: Alice owns in Germany, Bob validates and approves in the EU, Charlie has no access.

Everything is made through the same verbs that people use. Rights that no slice has registered (yet) are left out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from stewardship.access.rights import all_rights, is_defined
from stewardship.inventory.deploy import record
from stewardship.inventory.models import Deployment, Environment, ModelFamily, ModelVersion, RegisteredModel
from stewardship.inventory.register import register_model, register_version
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.people.tokens import AccessToken
from stewardship.regions.models import Region
from stewardship.roles.assign import assign
from stewardship.roles.matrix import define_role, separate
from stewardship.roles.models import Role
from tests.tape import made_once

PASSWORD = "correct horse battery staple"

TREE = (
    ("global", "Global", None),
    ("emea", "EMEA", "global"),
    ("eu", "EU", "emea"),
    ("de", "Germany", "eu"),
    ("fr", "France", "eu"),
    ("apac", "APAC", "global"),
    ("jp", "Japan", "apac"),
)

_WORK = (
    "threads:thread:comment",
    "actions:action:open",
    "actions:action:close",
    "escalation:run:escalate",
    "escalation:run:acknowledge",
    "escalation:run:stop",
    "audits:report:request",
)

# slug: name, settings, rights beside every view right ("-view" starts the list of a role that sees only what it names)
ROLES: dict[str, tuple[str, dict[str, object], tuple[str, ...]]] = {
    "owner": (
        "model owner",
        {"combine": "replace", "accountable": True},
        (
            *_WORK,
            "inventory:model:register",
            "inventory:model:edit",
            "inventory:model:move",
            "inventory:version:register",
            "inventory:deployment:record",
            "roles:assignment:assign",
            "coverage:gap:close",
            "dossiers:dossier:revise",
            "alerts:alert:acknowledge",
            "alerts:alert:investigate",
            "alerts:alert:resolve",
            "risk:assessment:make",
            "evidence:artifact:attach",
            "changes:change:draft",
            "changes:change:submit",
            "changes:change:withdraw",
            "signals:signal:send",
            "gate:verdict:ask",
        ),
    ),
    "validator": (
        "validator",
        {"second_line": True},
        (*_WORK, "actions:action:verify", "approvals:decision:make", "risk:assessment:make"),
    ),
    "compliance": (
        "compliance officer",
        {"second_line": True},
        (
            *_WORK,
            "actions:action:verify",
            "approvals:decision:make",
            "roles:assignment:assign_second_line",
            "journal:proof:export",
            "policies:policy:configure",
            "frameworks:framework:configure",
            "inventory:model:set_tier",
        ),
    ),
    "risk": (
        "risk officer",
        {"second_line": True},
        (*_WORK, "approvals:decision:make", "inventory:model:set_tier", "risk:assessment:make", "risk:questionnaire:configure"),
    ),
    "responder": (
        "operational responder",
        {},
        (*_WORK, "alerts:alert:acknowledge", "alerts:alert:investigate", "alerts:alert:resolve", "changes:change:draft"),
    ),
    "regional-admin": (
        "regional admin",
        {},
        (
            *_WORK,
            "regions:region:configure",
            "people:person:manage",
            "people:token:issue",
            "inventory:model:register",
            "inventory:model:edit",
            "inventory:model:move",
            "roles:assignment:assign",
            "escalation:path:configure",
            "dossiers:template:configure",
            "signals:source:configure",
            "thresholds:rule:configure",
            "policies:policy:configure",
            "approvals:route:configure",
            "coverage:gap:close",
        ),
    ),
    "executive": ("executive", {}, (*_WORK, "approvals:decision:make")),
    "pipeline": (
        "pipeline",
        {},
        (
            "-view",
            "inventory:model:view",
            "inventory:version:view",
            "inventory:version:register",
            "inventory:deployment:view",
            "inventory:deployment:record",
            "evidence:artifact:view",
            "evidence:artifact:attach",
            "changes:change:view",
            "changes:change:draft",
            "alerts:alert:view",
            "signals:source:view",
            "signals:series:view",
            "signals:signal:send",
            "gate:verdict:ask",
            "gate:verdict:view",
        ),
    ),
}

# username: full name, home region, role, region of the role
PEOPLE: dict[str, tuple[str, str, str | None, str | None]] = {
    "alice": ("Alice Adler", "de", "owner", "de"),
    "bob": ("Bob Berger", "eu", "validator", "eu"),
    "charlie": ("Charlie Chan", "eu", None, None),
    "dana": ("Dana Diaz", "global", "compliance", "global"),
    "erin": ("Erin Engel", "global", "executive", "global"),
    "frank": ("Frank Fischer", "eu", "regional-admin", "eu"),
    "gita": ("Gita Goto", "jp", "owner", "jp"),
    "kate": ("Kate Klein", "eu", "risk", "eu"),
    "ivan": ("Ivan Ilic", "eu", "responder", "eu"),
    "pipeline": ("Pipeline", "eu", "pipeline", "eu"),
}


@dataclass
class Cast:
    """Everybody and everything, by name: `cast.users["alice"]`, `cast.regions["eu"]`, `cast.roles["owner"]`."""

    regions: dict[str, Region] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)


def _rights(wanted: tuple[str, ...]) -> dict[str, str]:
    views = [] if wanted[:1] == ("-view",) else [right for right in all_rights() if right.endswith(":view")]
    return {right: "R" for right in (*views, *wanted) if is_defined(right)}


def make_cast() -> Cast:
    """The regions, environments, roles and people above, made by the system account."""
    cast = Cast()
    system = system_user()
    with acting(system, "The cast"):
        for code, name, parent in TREE:
            cast.regions[code] = Region(code=code, name=name, parent=cast.regions.get(parent or ""))
            cast.regions[code].save()
        for order, (slug, production) in enumerate((("staging", False), ("production", True))):
            cast.environments[slug] = Environment(slug=slug, name=slug.capitalize(), order=order, production=production)
            cast.environments[slug].save()
        for slug, (name, settings, wanted) in ROLES.items():
            cast.roles[slug] = define_role(actor=system, slug=slug, name=name, rights=_rights(wanted), **settings)
        separate(cast.roles["owner"], cast.roles["validator"], actor=system, rationale="Nobody validates their own model")
        for username, (full_name, home, role, region) in PEOPLE.items():
            user = User.objects.create_user(
                username, f"{username}@bank.example", PASSWORD, full_name=full_name, home_region=cast.regions[home]
            )
            cast.users[username] = user
            if role is not None and region is not None:
                assign(actor=system, role=cast.roles[role], user=user, region=cast.regions[region], rationale="The cast")
    return cast


def make_family(cast: Cast, slug: str = "tumour-risk", region: str = "de") -> ModelFamily:
    """A family in a region."""
    family = ModelFamily(slug=slug, name=slug.replace("-", " ").capitalize(), region=cast.regions[region], purpose="Helps to decide")
    with acting(system_user(), "The cast"):
        family.save()
    return family


def make_model(cast: Cast, slug: str = "tumour-risk", region: str = "de", family: ModelFamily | None = None) -> RegisteredModel:
    """A model registered by the system account."""
    return register_model(
        actor=system_user(),
        family=family or make_family(cast, f"{slug}-family", region),
        region=cast.regions[region],
        slug=slug,
        name=slug.replace("-", " ").capitalize(),
        purpose="Estimates a risk from measurements",
        technique="logistic regression",
    )


def make_version(model: RegisteredModel, label: str = "1.0.0", actor: User | None = None, **fields: Any) -> ModelVersion:
    """A version whose digest follows from its model and label."""
    digest = hashlib.sha256(f"{model.slug} {label}".encode()).hexdigest()
    return register_version(
        actor=actor or system_user(), model=model, label=label, digest=digest, **({"code_revision": "4f2a9c1"} | fields)
    )


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """A slow hash is right for people and wrong for ten accounts a test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def example_data(settings: Settings) -> None:
    """An installation that may say that something happened earlier."""
    settings.JOURNAL_ORIGIN = "tests.concordat.invalid"


def load_cast() -> Cast:
    """The cast that is in the database."""
    return Cast(
        regions={region.code: region for region in Region.objects.select_related("parent")},
        environments={environment.slug: environment for environment in Environment.objects.all()},
        roles={role.slug: role for role in Role.objects.all()},
        users={user.username: user for user in User.objects.active().select_related("home_region")},
    )


@pytest.fixture
def cast(db: None) -> Cast:
    return made_once(make_cast, load_cast)


@pytest.fixture
def alice(cast: Cast) -> User:
    """Model owner in Germany."""
    return cast.users["alice"]


@pytest.fixture
def bob(cast: Cast) -> User:
    """Validator in the EU; decides on changes."""
    return cast.users["bob"]


@pytest.fixture
def charlie(cast: Cast) -> User:
    """Signed in, with no role anywhere."""
    return cast.users["charlie"]


@pytest.fixture
def dana(cast: Cast) -> User:
    """Compliance officer, everywhere."""
    return cast.users["dana"]


@pytest.fixture
def erin(cast: Cast) -> User:
    """Executive, everywhere."""
    return cast.users["erin"]


@pytest.fixture
def frank(cast: Cast) -> User:
    """Regional admin of the EU."""
    return cast.users["frank"]


@pytest.fixture
def gita(cast: Cast) -> User:
    """Model owner in Japan."""
    return cast.users["gita"]


@pytest.fixture
def ivan(cast: Cast) -> User:
    """Operational responder in the EU."""
    return cast.users["ivan"]


@pytest.fixture
def kate(cast: Cast) -> User:
    """Risk officer in the EU."""
    return cast.users["kate"]


@pytest.fixture
def pipeline(cast: Cast) -> User:
    """The account a CI pipeline of the EU acts as."""
    return cast.users["pipeline"]


@pytest.fixture
def pipeline_token(pipeline: User) -> str:
    """The plain text of a token with which that pipeline reads and writes."""
    _token, plain = AccessToken.issue(user=pipeline, name="CI", scopes=["read", "write"], days=30, actor=pipeline)
    return plain


@pytest.fixture
def system(db: None) -> User:
    """The system account."""
    return system_user()


@pytest.fixture
def family(cast: Cast) -> ModelFamily:
    return make_family(cast)


@pytest.fixture
def model(cast: Cast, family: ModelFamily) -> RegisteredModel:
    """tumour-risk, registered in Germany."""
    return make_model(cast, family=family)


@pytest.fixture
def foreign_model(cast: Cast) -> RegisteredModel:
    """credit-line, registered in Japan: out of sight for Alice and Bob."""
    return make_model(cast, "credit-line", "jp")


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    """1.0.0 of tumour-risk."""
    return make_version(model)


@pytest.fixture
def deployment(cast: Cast, version: ModelVersion) -> Deployment:
    """1.0.0 of tumour-risk, live in production in Germany."""
    return record(
        actor=system_user(),
        version=version,
        environment=cast.environments["production"],
        region=cast.regions["de"],
        share=Decimal(1),
    )
