"""The journal's registrations: its guards around migrations, its rights, its place in the shell, its chore and its signs of life."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.portal.registry import gauges, nav, readiness
from config.portal.tick import chore
from stewardship.journal import around_migrations, checks  # noqa: F401 - importing registers the checks
from stewardship.journal.completeness import COMPLETE, complete, look_for_missed
from stewardship.journal.guards import check_guards, guards_removable
from stewardship.journal.models import Checkpoint, Outbox
from stewardship.journal.publish import latest, mirrored_size
from stewardship.journal.rights import EntryRight
from stewardship.journal.sequence import sequence

LATE = 60  # seconds a row may wait before the installation counts as unfit


def wire(sender: Any) -> None:
    """Called from this floor's AppConfig.ready()."""
    around_migrations.connect(sender)
    nav.register("Proof", _("Journal"), "journal_list", EntryRight.VIEW, order=50, icon="journal")
    chore("journal")(sequence)
    chore(COMPLETE, every=3600)(look_for_missed)
    readiness.register("guards", guards, note=removable, at_start=True)
    readiness.register("journal", lag)
    readiness.register(COMPLETE, complete)
    gauges.register("concordat_journal_waiting", "Governed rows that no journal entry holds yet.", waiting)
    gauges.register("concordat_journal_lag_seconds", "How long the oldest of them has waited.", oldest)
    gauges.register("concordat_journal_size", "Entries under a signed checkpoint.", size)


def guards() -> str | None:
    """Why the guards are not as they must be; None when they are."""
    problems = check_guards()
    return f"{problems[0]} {len(problems)} in all; run ./concordat journal guards --install." if problems else None


def removable() -> str | None:
    """Says so where the portal's own account could drop the guards: removal is then detected, not prevented."""
    return "guards removable" if guards_removable() else None


def lag() -> str | None:
    """Why the journal is behind; None while it keeps up."""
    seconds = oldest()
    if seconds > LATE:
        return f"A row has waited {int(seconds)} s for the journal; run ./concordat journal sequence and read its error."
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is not None and (timezone.now() - newest.made_at).total_seconds() > LATE:
        if not newest.note:
            return "The newest checkpoint is not signed; run ./concordat journal sequence and read its error."
        if mirrored_size() != newest.size:
            return "The newest checkpoint is not in the mirror; run ./concordat journal sequence and read its error."
    return None


def waiting() -> float:
    """How many rows wait."""
    return Outbox.objects.count()


def oldest() -> float:
    """Seconds since the oldest waiting row was written; 0 when none waits."""
    first = Outbox.objects.order_by("recorded").values_list("recorded", flat=True).first()
    return (timezone.now() - first).total_seconds() if first else 0.0


def size() -> float:
    """How many entries are published."""
    newest = latest()
    return newest.size if newest else 0
