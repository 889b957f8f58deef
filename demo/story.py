"""The whole example, in order: the organisation, then the year."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from config.portal.errors import Unavailable
from demo import chronicle, models, organisation, people, rulebook
from demo.chapters import stories
from demo.world import World
from governance.audits.request import request
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.sequence import settle
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.signing.mint import Authentication, authenticate

SIGNERS = ("tomasz", "victor", "ruth", "samir", "clara", "bella", "rosa", "hana", "mei", "imogen")


def refusal() -> str:
    """Why the example cannot be told in this installation; empty when it can."""
    if not settings.JOURNAL_ORIGIN.endswith(".invalid"):
        return f"This journal is called {settings.JOURNAL_ORIGIN}; example data goes only into one whose name ends in .invalid."
    if RegisteredModel.objects.exists() and not User.objects.filter(username="gemma").exists():
        return "There are models here that the example did not make; it is built in an empty installation only."
    return ""


def tell() -> list[dict[str, object]]:
    """Tell what has not been told; gives the people with their passwords and tokens."""
    # Nobody must get mail from an example, whatever this installation is configured to send with.
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = Path(settings.VAR) / "mail"
    world = World(timezone.now().replace(microsecond=0))
    if not Region.objects.exists():
        with transaction.atomic():
            organisation.set_up(world)
            people.set_up(world)
            rulebook.set_up(world)
            models.set_up_families(world)
    for part in (organisation, people, models):
        part.find(world)
    if not RegisteredModel.objects.exists():
        _prove(world)
        with _without_collecting(), transaction.atomic():
            chronicle.tell(world, stories(world))
    with transaction.atomic():
        users = people.issue_tokens(world)
    settle()
    _request_report(world)
    return users


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Garbage collection walks over all the rows in memory again and again; a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _request_report(world: World) -> None:
    """The worker makes it when the portal starts; without Pango there are no reports."""
    with suppress(Unavailable):
        request(model=world.models["card-fraud-eu"], actor=world.people["quentin"])


def _prove(world: World) -> None:
    """Whoever signs in the story shows their password once; it counts failures, so it stands outside any transaction.

    Two at a time: hashing passwords is slow on purpose, and lets another thread work meanwhile.
    """
    password = people.password()

    def prove(name: str) -> Authentication:
        try:
            return authenticate(user=world.people[name], session_key=world.session, method="password", credential=password)
        finally:
            connection.close()  # this thread's own

    with ThreadPoolExecutor(2) as pool:
        world.proofs |= dict(zip(SIGNERS, pool.map(prove, SIGNERS), strict=True))
