"""Guards come off before a migration rebuilds tables and go back on after it; what was written between is caught up.

Runs on `migrate` and on the flush after a test, and nowhere else: the product never works without its guards.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.db.models.signals import post_migrate, pre_migrate

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.guards import drop_guards, enqueue_missed, install_guards
from stewardship.journal.models import Outbox, note_event


def connect(sender: Any) -> None:
    """Called from this floor's AppConfig.ready()."""
    pre_migrate.connect(_before, sender=sender, dispatch_uid="journal.guards.off")
    post_migrate.connect(_after, sender=sender, dispatch_uid="journal.guards.on")


def _before(*, using: str, plan: list[Any] | None = None, **kwargs: Any) -> None:
    if plan:
        drop_guards(using)


def _after(*, using: str, plan: list[Any] | None = None, **kwargs: Any) -> None:
    if Outbox._meta.db_table not in connections[using].introspection.table_names():
        return
    with transaction.atomic(using=using):
        missed = enqueue_missed(using)
        problems = install_guards(using)
        if plan or missed or problems:
            with acting(SYSTEM, "The database's shape was changed."):
                note_event(
                    "journal.guards.installed",
                    {
                        "migrations": [f"{step.app_label}.{step.name}" for step, _ in plan or []],
                        "caught_up": missed,
                        "guards": len(problems),
                    },
                    actor=SYSTEM,
                )
