"""Run as a program by the process tests: makes a database and starts an escalation with short steps in it.

python -m tests.stewardship.drill SECONDS [prepare|begin]
"""

from __future__ import annotations

import os
import sys
import uuid
from typing import Any


class _NoMigrations(dict[str, Any]):
    def __contains__(self, app: object) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


def main(seconds: int, part: str = "") -> None:
    """`prepare`: tables, cast, a path responder → risk → executive. `begin`: an open gap that nobody will answer. Without: both."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django.setup()
    if part != "begin":
        _prepare(seconds)
    if part != "prepare":
        _begin()


def _prepare(seconds: int) -> None:
    from django.conf import settings
    from django.core.management import call_command

    settings.MIGRATION_MODULES = _NoMigrations()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from tests.cast import make_cast
    from tests.stewardship.calls import make_path

    make_path(make_cast(), "responder", "risk", "executive@root", seconds=seconds, kind="gap", repeats=0, last_wait_seconds=3600)


def _begin() -> None:
    from stewardship.coverage.gaps import open_gap
    from stewardship.people.models import system_user
    from stewardship.regions.models import Region

    region = Region.objects.get(code="eu")
    open_gap(kind="drill", subject_kind="drill", subject_id=uuid.uuid4(), label="A drill", region=region, actor=system_user())


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:3])
