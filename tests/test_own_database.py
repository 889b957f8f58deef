"""Two test runs beside each other do not meet: each may name its database, and no setting of the product knows of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import ROOT

ONE = "tests/portal/test_portal_health.py::test_not_ready_until_both_processes_beat"


def run(*words: str, folder: Path) -> str:
    env = os.environ | {"VAR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'product.sqlite3'}"}
    env |= {"CONCORDAT_TEST_DB": str(folder / "named.sqlite3"), "PYTEST_ADDOPTS": ""}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.process
def test_a_run_makes_the_database_that_it_names(tmp_path: Path) -> None:
    run("-m", "pytest", "-n0", "-q", "--reuse-db", ONE, folder=tmp_path)
    assert (tmp_path / "named.sqlite3").exists()
    assert not (tmp_path / "product.sqlite3").exists()


@pytest.mark.process
def test_the_product_does_not_read_the_name(tmp_path: Path) -> None:
    said = run(
        "manage.py", "shell", "-v", "0", "-c", "from django.db import connection as c; print(c.settings_dict['TEST'])", folder=tmp_path
    )
    assert "'NAME': None" in said
