"""A worker is killed while it makes a report: the next one makes it, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, asked, until

pytestmark = pytest.mark.process


def test_a_report_survives_the_death_of_its_worker(tmp_path: Path, installation: dict[str, str]) -> None:
    bare = installation | {"JOB_LEASE_SECONDS": "15"}  # short enough for a test
    subprocess.run(
        [sys.executable, "-m", "tests.governance.report_drill"], cwd=ROOT, env=bare, check=True, timeout=200, stdout=subprocess.DEVNULL
    )

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return asked(bare["DATABASE_URL"], sql)

    def start(*command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=bare, start_new_session=True, stdout=subprocess.DEVNULL
        )

    worker = start("qcluster")
    until(lambda: ask("SELECT 1 FROM stewardship_job WHERE status = 'running' AND done >= 3"), 120, "the pages begin")
    os.killpg(worker.pid, signal.SIGKILL)  # the cluster and every process it forked
    worker.wait()
    assert ask("SELECT status FROM governance_report") == [("building",)]
    running = [start("qcluster"), start("tick")]
    try:
        until(lambda: ask("SELECT 1 FROM governance_report WHERE status = 'ready'"), 180, "the report is ready")
        until(lambda: ask("SELECT 1 FROM stewardship_job WHERE status = 'done'"), 30, "the job is done")
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert ask("SELECT attempt FROM stewardship_job") == [(2,)]
    assert ask("SELECT COUNT(*) FROM stewardship_blob WHERE media_type = 'application/pdf'") == [(1,)]
    assert ask("SELECT COUNT(*) FROM stewardship_notice WHERE cause_kind = 'audits.report' AND channel = 'portal'") == [(1,)]
    trust = subprocess.run([sys.executable, "manage.py", "trust"], cwd=ROOT, env=bare, check=True, capture_output=True, text=True).stdout
    (tmp_path / "trust.json").write_text(json.dumps(json.loads(trust)))
    (sha256,) = ask("SELECT b.sha256 FROM governance_report r JOIN stewardship_blob b ON b.id = r.blob_id")[0]
    sealed = tmp_path / "blobs" / sha256[:2] / sha256
    verified = subprocess.run(
        [sys.executable, "-m", "governance.audits.verify_cli", str(sealed)], cwd=ROOT, env=bare, capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout
