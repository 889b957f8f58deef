"""A process of its own for the kill tests: `python journal_child.py begin|write|sequence|live`; VAR and DATABASE_URL say where."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path


def main(verb: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    import django

    django.setup()
    from django.core.management import call_command

    from stewardship.journal.models import Outbox
    from stewardship.journal.sequence import sequence
    from stewardship.regions.models import Region

    if verb == "begin":
        from django.apps import apps
        from django.conf import settings

        from stewardship.journal.acting import SYSTEM, acting

        settings.MIGRATION_MODULES = dict.fromkeys((config.label for config in apps.get_app_configs()), None)
        call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
        with acting(SYSTEM, "A drill begins."):
            Region(code="root", name="Root").save()
        before = Outbox.objects.count()
        write()
        print(before, Outbox.objects.count() - before, flush=True)
    elif verb == "write":
        while True:
            write()
            print("wrote", flush=True)
    elif verb == "live":
        while True:
            write()
            sequence()
            print("sequenced", flush=True)
    else:
        while True:
            if Outbox.objects.exists():
                sequence(limit=7, wait=verb == "sequence")


def write() -> None:
    """One transaction with every kind of row: a noun made, changed and removed, personal fields, facts, a savepoint undone."""
    from django.db import transaction

    from stewardship.journal.acting import SYSTEM, acting
    from stewardship.journal.models import note_event
    from stewardship.people.models import User
    from stewardship.regions.models import Region

    mark = uuid.uuid4().hex[:12]
    with transaction.atomic(), acting(SYSTEM, f"Drill {mark}"):
        kept, gone = (Region(code=f"{what}-{mark}", name=what, parent=Region.objects.get(code="root")) for what in ("kept", "gone"))
        kept.save()
        gone.save()
        kept.name = "Kept and renamed – größer"
        kept.save(update_fields=["name"])
        gone.delete()
        User.objects.create_user(mark, f"{mark}@bank.example", None, full_name="Erin Example")
        for number in range(5):
            note_event("test.event", {"n": number}, actor=SYSTEM)
        try:
            with transaction.atomic():
                note_event("test.undone", {}, actor=SYSTEM)
                raise KeyError
        except KeyError:
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
