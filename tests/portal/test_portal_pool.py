"""On PostgreSQL the worker forks, so it must not bring a pool of connections; web and tick have one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import ROOT

ASK = """
import sys
sys.argv = ["manage.py", {verb!r}]
from config import settings
print("pool" in settings.DATABASES["default"].get("OPTIONS", {{}}))
"""


@pytest.mark.parametrize(("verb", "pooled"), [("qcluster", "False"), ("tick", "True")])
def test_only_processes_that_do_not_fork_have_a_pool(verb: str, pooled: str, tmp_path: Path) -> None:
    environment = {**os.environ, "VAR": str(tmp_path), "DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing", "DB_POOL": "4"}
    answer = subprocess.run(
        [sys.executable, "-c", ASK.format(verb=verb)], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == pooled
