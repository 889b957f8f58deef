"""What asking for permission costs: list and count of 10,000 models, filtered for a person against not filtered at all.

`python -m tests.benchmarks.access` makes a database of its own (SQLite in a temporary folder, or a test database on the
server that DATABASE_URL names) and removes it. ACCESS_MODELS and ACCESS_USERS change the size.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tests.benchmarks._bench import analyze, database, median_ms, report, side_by_side
from tests.benchmarks._scene import populate

MODELS = int(os.environ.get("ACCESS_MODELS", "10000"))
USERS = int(os.environ.get("ACCESS_USERS", "1000"))
TIMES = 2.0


def measure(cast: Any) -> None:
    """List and count, as a table of the portal asks for them, each against the same query without a filter."""
    from config.portal.tables import COUNT_UP_TO
    from stewardship.inventory.models import RegisteredModel
    from stewardship.people.models import User

    right = "inventory:model:view"
    rows = RegisteredModel.objects.order_by("name", "id")

    def work(kind: str, found: Any) -> object:
        return found.order_by()[: COUNT_UP_TO + 1].count() if kind == "count" else list(found[:25])

    for kind in ("list", "count"):
        for who, username in (("regional", "ivan"), ("head-office", "erin")):
            person = User.objects.get(username=username)
            took = side_by_side(
                {
                    "plain": lambda kind=kind: work(kind, rows.all()),  # type: ignore[misc]
                    "allowed": lambda kind=kind, person=person: work(kind, rows.allowed(person, right)),  # type: ignore[misc]
                }
            )
            note = f"{took['allowed']:.2f} ms against {took['plain']:.2f} ms"
            report(f"access.{kind}.{who}", took["allowed"] / took["plain"], "times", TIMES, note=note)

    def anew(username: str) -> None:
        """A new person object, as in each request: grants and tree are read again."""
        rows.allowed(User.objects.get(username=username), right)

    read = median_ms(lambda: anew("ivan")) - median_ms(lambda: User.objects.get(username="ivan"))
    report("access.reading_grants", read, "ms", 25, note="once a request")


def main() -> int:
    """Set up, measure, tear down."""
    with database():
        cast = populate(MODELS, USERS)
        analyze()
        measure(cast)
    return 0


if __name__ == "__main__":
    sys.exit(main())
