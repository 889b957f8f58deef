"""What every test needs: its own journal outside the database, and a flush that the guards allow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings as installed
from django.test import TransactionTestCase
from xdist.scheduler import LoadScopeScheduling

from stewardship.journal.guards import drop_guards

pytest_plugins = ["tests.cast", "tests.processes", "tests.stewardship.behind"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every property is worth digging deeper in a soak; kill tests and state machines say so themselves."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.soak)


class OneByOne(LoadScopeScheduling):
    """Each test goes to whichever worker is free, except that a file which builds one whole installation stays in one hand."""

    WHOLE = ("tests/demo/test_demo_build.py",)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in self.WHOLE else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneByOne:
    """Marks of groups would say the same, if this xdist understood this pytest (3.8 and 9.2)."""
    return OneByOne(config, log)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """Several test runs on one PostgreSQL server each name a database of their own: `CONCORDAT_TEST_DB=… make test`."""
    if name := os.environ.get("CONCORDAT_TEST_DB"):
        installed.DATABASES["default"].setdefault("TEST", {})["NAME"] = name
    # Only now: each worker's number is added to the name that is there.
    request.getfixturevalue("django_db_modify_db_settings_parallel_suffix")


_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def _flush_without_guards(self: Any) -> None:
    """The guards forbid the flush after a test with real transactions; post_migrate puts them back after it."""
    for name in self._databases_names(include_mirrors=False):
        drop_guards(name)
    _flush(self)


TransactionTestCase._fixture_teardown = _flush_without_guards  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _journal_of_its_own(settings: Any, tmp_path: Path) -> None:
    """A rolled-back database must not meet a signer that remembers the test before."""
    settings.JOURNAL_FOLDER = tmp_path / "journal"
    settings.KEY_FOLDER = tmp_path / "keys"
    settings.MEDIA_ROOT = tmp_path / "blobs"


@pytest.fixture(autouse=True)
def _static_files_uncollected(settings: Any, tmp_path: Path) -> None:
    """Pages are drawn without `collectstatic`; the folder exists because whitenoise warns otherwise."""
    (tmp_path / "static").mkdir()
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


# `HYPOTHESIS_PROFILE=soak` is for the night, the default for every run. A busy machine is no defect: no test is timed.
hypothesis.settings.register_profile(
    "default", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("soak", max_examples=10_000, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
