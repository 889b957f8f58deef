"""A process of its own for the kill tests: `python journal_child.py begin|write|sequence|live FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(verb: str, folder: str) -> None:
    os.environ["VAR"] = folder
    os.environ.pop("DATABASE_URL", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    import django

    django.setup()
    from django.core.management import call_command

    from stewardship.journal.acting import SYSTEM
    from stewardship.journal.models import Outbox, note_event
    from stewardship.journal.sequence import sequence

    if verb == "begin":
        from django.apps import apps
        from django.conf import settings

        settings.MIGRATION_MODULES = dict.fromkeys((config.label for config in apps.get_app_configs()), None)
        call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
    elif verb == "write":
        from django.db import transaction

        while True:
            with transaction.atomic():
                for number in range(20):
                    note_event("test.event", {"n": number}, actor=SYSTEM)
            print("wrote 20", flush=True)
    elif verb == "live":
        while True:
            note_event("test.event", {}, actor=SYSTEM)
            sequence()
            print("sequenced", flush=True)
    else:
        while True:
            if Outbox.objects.exists():
                sequence(limit=7)


if __name__ == "__main__":
    main(*sys.argv[1:])
