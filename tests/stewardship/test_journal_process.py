"""kill -9 while rows are written and sequenced: nothing is lost, nothing is there twice, and the journal verifies."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.deep import depth

CHILD = Path(__file__).with_name("journal_child.py")
ROOT = CHILD.parent.parent.parent


def _start(verb: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(CHILD), verb, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VAR": str(folder)}
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "journal", *arguments], env=environment, capture_output=True, text=True, check=False
    )


ROUNDS = depth(4, 500)  # two kills each


@pytest.mark.soak
@pytest.mark.process
def test_kill_minus_nine_loses_and_doubles_nothing(tmp_path: Path) -> None:
    begun = _start("begin", tmp_path)
    begun.communicate(timeout=120)
    assert begun.returncode == 0
    rng = random.Random(7)
    written = 0
    for _ in range(ROUNDS):
        writer, sequencer = _start("write", tmp_path), _start("sequence", tmp_path)
        assert writer.stdout is not None
        written += writer.stdout.readline() == "wrote 20\n"  # both are at work now
        time.sleep(rng.uniform(0.1, 1.0))
        sequencer.send_signal(signal.SIGKILL)
        time.sleep(rng.uniform(0.0, 0.3))
        writer.send_signal(signal.SIGKILL)
        written += writer.communicate(timeout=10)[0].count("wrote 20\n")
        sequencer.communicate(timeout=10)
    assert _manage(tmp_path, "sequence").returncode == 0
    done = _manage(tmp_path, "verify", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["problems"], report["waiting"]) == (0, [], 0)
    # Each acknowledged write is there once; a last one may have been committed without its word.
    events = report["rows"]
    assert written * 20 <= events <= (written + ROUNDS) * 20 + 20
    assert report["published"] == report["entries"]
