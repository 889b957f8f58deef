"""What a test does as somebody who owns the database: raw SQL with the guards off, against a journal of a few rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.findings import GOOD, Report
from stewardship.journal.guards import drop_guards, install_guards
from stewardship.journal.models import note_event
from stewardship.journal.sequence import sequence
from stewardship.journal.verify import verify_database
from stewardship.regions.models import Region

HISTORY = "stewardship_historicalregion"


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def unguarded() -> Iterator[None]:
    """As somebody who owns the database: the guards come off, and go back on."""
    drop_guards()
    yield
    install_guards()


def stored(key: UUID) -> Any:
    return key.hex if connection.vendor == "sqlite" else key


def told(report: Report) -> set[tuple[str, str]]:
    return {(problem.table, problem.record) for problem in report.problems}


def region(code: str) -> Region:
    with acting(SYSTEM, "Made."):
        made = Region(code=code, name=code.title(), parent=Region.objects.filter(parent=None).first())
        made.save()
    return made


@pytest.fixture
def journal(db: None) -> None:
    """Some rows, sequenced a few at a time, so that there are several checkpoints."""
    for number in range(6):
        region(f"r{number}")
        note_event("test.event", {"n": number}, actor=SYSTEM)
        sequence()
    assert verify_database().code == GOOD
