"""What every benchmark needs: a database of its own, timing in the same run as its floor, one JSON line a figure."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def database() -> Iterator[Path]:
    """Django, set up on an empty database that is removed afterwards; gives the folder that holds everything else.

    SQLite in a temporary folder, or a test database on the server that DATABASE_URL names.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["VAR"] = name
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        os.environ.setdefault("LOG_LEVEL", "ERROR")
        os.environ.setdefault("DEBUG", "")
        import django
        from django.conf import settings

        django.setup()
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
        settings.STATIC_ROOT = folder
        from django.db import connection
        from django.test.utils import setup_databases, setup_test_environment, teardown_databases

        setup_test_environment(debug=False)
        test = connection.settings_dict["TEST"]
        test["MIGRATE"] = False
        if connection.vendor == "sqlite":
            test["NAME"] = str(folder / "bench.sqlite3")
        elif beside := os.environ.get("CONCORDAT_TEST_DB"):
            test["NAME"] = beside
        made = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
        try:
            yield folder
        finally:
            teardown_databases(made, verbosity=0)


def report(bench: str, value: float, unit: str, budget: float, *, at_least: bool = False, note: str = "") -> None:
    """One JSON line; the budget is an upper bound unless `at_least`."""
    from django.db import connection

    ok = value >= budget if at_least else value <= budget
    line = {"bench": bench, "database": connection.vendor, "value": round(value, 2), "unit": unit, "budget": budget, "ok": ok}
    print(json.dumps(line | ({"note": note} if note else {})), flush=True)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes on the wall."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def median_ms(work: Callable[[], object], rounds: int = 15) -> float:
    """The median of several rounds, after one to warm up."""
    work()
    return statistics.median(seconds(work) for _round in range(rounds)) * 1000


def side_by_side(works: dict[str, Callable[[], object]], rounds: int = 15) -> dict[str, float]:
    """The best time of each in ms, taken in turns, so that a busy moment of the machine hits all of them alike."""
    took: dict[str, list[float]] = {name: [] for name in works}
    for _round in range(rounds + 1):
        for name, work in works.items():
            took[name].append(seconds(work) * 1000)
    return {name: min(times[1:]) for name, times in took.items()}


def analyze() -> None:
    """Fresh statistics for the planner."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
