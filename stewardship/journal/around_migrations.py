"""Guards come off before a migration rebuilds tables and go back on after it; what was written between is caught up.

Runs on `migrate` and on the flush after a test, and nowhere else: the product never works without its guards. Only what
a migration could have written is caught up: a row that was past the journal before stays there for `verify` to name.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from django.db import connections, transaction
from django.db.models.signals import post_migrate, pre_migrate

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.guards import drop_guards, enqueue_missed, install_guards, missed_rows
from stewardship.journal.models import Outbox, note_event

logger = logging.getLogger(__name__)
NAMED: Final = 100  # records of one table that an event names; it counts the rest

# Databases whose guards are off now, and what no entry held before they came off: table → records.
_off: dict[str, dict[str, list[str]]] = {}


def connect(sender: Any) -> None:
    """Called from this floor's AppConfig.ready()."""
    pre_migrate.connect(_before, sender=sender, dispatch_uid="journal.guards.off")
    post_migrate.connect(_after, sender=sender, dispatch_uid="journal.guards.on")


def put_back(using: str) -> None:
    """After a migration that failed, Django sends no signal: install the guards again. Does nothing when they are on."""
    before = _off.pop(using, None)
    if before is None:
        return
    try:
        _guarded_again(using, before, {"failed": True})
    except Exception:
        # The migration's own error is the one to show; /readyz says that guards are missing.
        logger.exception("The guards could not be put back; run `manage.py journal guards --install`.")


def caught_up(entered: dict[str, list[str]]) -> dict[str, Any]:
    """What an event says of rows that were put into the outbox: how many, and which."""
    return {
        "caught_up": {table: len(records) for table, records in entered.items()},
        "records": {table: records[:NAMED] for table, records in entered.items()},
    }


def _before(*, using: str, plan: list[Any] | None = None, **kwargs: Any) -> None:
    if plan:
        _off[using] = missed_rows(using)
        drop_guards(using)


def _after(*, using: str, plan: list[Any] | None = None, **kwargs: Any) -> None:
    before = _off.pop(using, None)
    if Outbox._meta.db_table in connections[using].introspection.table_names():
        _guarded_again(using, before, {"migrations": [f"{step.app_label}.{step.name}" for step, _ in plan or []]})


def _guarded_again(using: str, before: dict[str, list[str]] | None, detail: dict[str, Any]) -> None:
    """Install the guards, then enter what was written while they were off; the other order would leave a gap."""
    with transaction.atomic(using=using):
        problems = install_guards(using)
        entered = enqueue_missed(using, before) if before is not None else {}
        if before is not None or problems:
            with acting(SYSTEM, "The database's shape was changed."):
                note_event("journal.guards.installed", {**detail, **caught_up(entered), "guards": len(problems)}, actor=SYSTEM)
