"""Processes of their own for the kill tests: `python journal_child.py begin|live|nursery`; VAR and DATABASE_URL say where.

A nursery forks a child for each line `verb file` that it reads and answers with its number, so that a thousand kills do not
wait for a thousand starts of Python. A child adds one byte to its file for each transaction that was committed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from pathlib import Path


def main(verb: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    import django

    django.setup()
    if verb == "begin":
        from django.apps import apps
        from django.conf import settings
        from django.core.management import call_command

        from stewardship.journal.acting import SYSTEM, acting
        from stewardship.journal.models import Outbox
        from stewardship.regions.models import Region

        settings.MIGRATION_MODULES = dict.fromkeys((config.label for config in apps.get_app_configs()), None)
        call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
        with acting(SYSTEM, "A drill begins."):
            Region(code="root", name="Root").save()
        before = Outbox.objects.count()
        write()
        print(before, Outbox.objects.count() - before, flush=True)
    elif verb == "live":
        from stewardship.journal.sequence import sequence

        while True:
            write()
            sequence()
            print("sequenced", flush=True)
    else:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
        for line in sys.stdin:
            child = os.fork()
            if child == 0:
                work(*line.split())
            print(child, flush=True)


def work(verb: str, file: str) -> None:
    """One child, until it is killed."""
    from django.db import OperationalError

    from stewardship.journal.models import Outbox
    from stewardship.journal.sequence import sequence

    said = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        if verb == "write":
            try:
                write()
            except OperationalError:  # SQLite gives a lock to whoever asks at the right moment, not in turn: nothing was written
                continue
            os.write(said, b"w")
            time.sleep(0.02)
        else:
            if Outbox.objects.exists():
                sequence(limit=7, wait=verb == "sequence")
            time.sleep(0.005)  # all of them breathe, or on SQLite nobody else would get a turn


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
