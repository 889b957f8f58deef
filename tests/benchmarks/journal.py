"""The journal's budgets: sequencing, proofs, full verification, and what the outbox costs a writer.

`python -m tests.benchmarks.journal` makes a database of its own (SQLite in a temporary folder, or a test database on the
server that DATABASE_URL names) and removes it. JOURNAL_ROWS changes the size (default 100,000 leaves).
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

from tests.benchmarks._bench import database, report, seconds

ROWS = int(os.environ.get("JOURNAL_ROWS", "100000"))
ENTRIES_A_SECOND, PROOF_MS, ROWS_A_SECOND, OUTBOX_PERCENT = 5_000, 5, 10_000, 25


def main() -> int:
    """Set up, measure, tear down."""
    with database():
        measure()
    return 0


def both(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall and of this process; the second says what a busy machine hides."""
    before = time.process_time()
    return seconds(work), time.process_time() - before


def measure() -> None:
    """The four figures."""
    from django.db import connection

    from stewardship.journal.acting import SYSTEM_USER_ID
    from stewardship.journal.guards import drop_guards, install_guards
    from stewardship.journal.models import Entry
    from stewardship.journal.proof import Prover
    from stewardship.journal.sequence import settle
    from stewardship.journal.verify import verify_database

    settle()
    columns = "history_date, history_type, history_user_id, history_change_reason, id, code, name, language, practice, parent_id"
    if connection.vendor == "sqlite":
        numbers = "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %s)"
        clock, key, text, no = "'2026-01-01 00:00:00'", "lower(hex(randomblob(16)))", SYSTEM_USER_ID.hex, "0"
    else:
        numbers = "WITH series(n) AS (SELECT generate_series(1, %s))"
        clock, key, text, no = "now()", "gen_random_uuid()", str(SYSTEM_USER_ID), "false"

    def fill(count: int) -> None:
        """History rows as a save would leave them; each is the only one of its object."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"{numbers} INSERT INTO stewardship_historicalregion ({columns}) "
                f"SELECT {clock}, '-', '{text}', 'A reason as people give one.', "
                f"{key}, 'code-' || n, 'Region number ' || n, 'en', {no}, NULL FROM series",
                [count],
            )

    fill(ROWS - Entry.objects.count())
    wall, cpu = both(settle)
    report("journal.sequence", ROWS / wall, "entries/s", ENTRIES_A_SECOND, at_least=True, note=f"{ROWS / cpu:.0f}/s of CPU time")

    total = Entry.objects.count()
    targets = Entry.objects.filter(index__in=[total * step // 200 for step in range(200)])
    walls, cpus = zip(*(both(lambda entry=entry: Prover().of(entry)) for entry in targets), strict=True)  # type: ignore[misc]
    p95, cpu = (sorted(times)[int(len(times) * 0.95)] * 1000 for times in (walls, cpus))
    report("journal.inclusion_proof_p95", p95, "ms", PROOF_MS, note=f"{total} leaves; {cpu:.2f} ms of CPU time")

    outcome = []
    wall, cpu = both(lambda: outcome.append(verify_database()))
    if outcome[0].code:
        print(*outcome[0].problems[:5], sep="\n", file=sys.stderr)
        raise SystemExit("The benchmark's own journal does not verify.")
    rows = outcome[0].rows
    report("journal.verify", rows / wall, "rows/s", ROWS_A_SECOND, at_least=True, note=f"{rows / cpu:.0f}/s of CPU time")

    wall, cpu = outbox_cost(drop_guards, install_guards)
    report(
        "journal.outbox_cost", wall, "%", OUTBOX_PERCENT, note=f"all guards of every table, not the outbox alone; {cpu:.0f} % of CPU time"
    )


def outbox_cost(drop: Callable[[], object], install: Callable[[], object]) -> tuple[float, float]:
    """How much of the throughput of governed saves all guards and the outbox take, in per cent: on the wall, and of CPU time.

    Short blocks with and without, in turns (with, without, without, with), so that a busy moment hits both alike; the
    median over the rounds. Each save is a transaction of its own, as a verb's is.
    """
    from stewardship.journal.acting import SYSTEM, acting
    from stewardship.regions.models import Region

    with acting(SYSTEM, "A benchmark."):
        region = Region(code="bench", name="Bench", parent=Region.objects.filter(parent=None).first())
        region.save()

        def write(count: int) -> None:
            for number in range(count):
                region.name = f"Bench {number}"
                region.save()

        def block() -> tuple[float, float]:
            write(5)  # statements are prepared again after a trigger came or went
            return both(lambda: write(50))

        walls, cpus = [], []
        for _round in range(12):
            first = block()
            drop()
            bare = [block(), block()]
            install()
            with_guards = [first, block()]
            for which, ratios in ((0, walls), (1, cpus)):
                ratios.append(sum(one[which] for one in bare) / sum(one[which] for one in with_guards))
    return (1 - statistics.median(walls)) * 100, (1 - statistics.median(cpus)) * 100


if __name__ == "__main__":
    sys.exit(main())
