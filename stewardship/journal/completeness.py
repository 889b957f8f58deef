"""Is there a row that the journal does not know of? Looked for now and then, since every table must be read."""

from __future__ import annotations

from typing import Final

from config.portal.models import Heartbeat
from config.portal.tick import beat
from stewardship.journal.guards import missed_rows

COMPLETE: Final = "journal complete"  # the name of the check, and of the row that keeps what it found last


def look_for_missed() -> int:
    """Rows that were written past the journal, noted where `/readyz` finds them: it cannot read every table each time."""
    missed = missed_rows()
    beat(COMPLETE, {table: f"{len(records)} rows, the first is {records[0]}" for table, records in missed.items()})
    return len(missed)


def complete() -> str | None:
    """Which rows were written past the journal when somebody looked last; None when there were none."""
    last = Heartbeat.objects.filter(pk=COMPLETE).exclude(detail="").first()
    if last is None:
        return None
    return f"Rows were written past the journal: {last.detail}. Run ./concordat journal verify, then see journal guards --help."
