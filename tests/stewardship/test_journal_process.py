"""kill -9 while rows are written and sequenced: nothing is lost, nothing is there twice, and the journal verifies."""

from __future__ import annotations

import json
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


def _start(verb: str, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(CHILD), verb], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), "journal", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


ROUNDS = depth(3, 250)  # four kills each


@pytest.mark.soak
@pytest.mark.process
def test_kill_minus_nine_loses_and_doubles_nothing(installation: dict[str, str]) -> None:
    begun = _start("begin", installation)
    before, each = map(int, begun.communicate(timeout=300)[0].split())
    assert (begun.returncode, each) == (0, 10)
    rng = random.Random(7)
    written, writers = 1, 2
    for _ in range(ROUNDS):
        at_work = [_start("write", installation) for _number in range(writers)]
        sequencers = [_start(verb, installation) for verb in ("sequence", "sequence-without-waiting")]
        for writer in at_work:
            assert writer.stdout is not None
            written += writer.stdout.readline() == "wrote\n"  # all are at work now
        time.sleep(rng.uniform(0.1, 1.0))
        for process in (*sequencers, *at_work):
            process.send_signal(signal.SIGKILL)
            time.sleep(rng.uniform(0.0, 0.3))
        for writer in at_work:
            assert writer.stdout is not None
            with writer:  # not communicate(): it reads past what readline() has put aside already
                written += writer.stdout.read().count("wrote\n")
        for sequencer in sequencers:
            sequencer.communicate(timeout=10)
    assert _manage(installation, "sequence").returncode == 0
    done = _manage(installation, "verify", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["problems"], report["waiting"]) == (0, [], 0)
    # Each acknowledged transaction is there once and whole; a last one of each writer may have been committed without its word.
    keys = 1  # the event of the first key
    rows = report["rows"] - before - keys
    assert rows % each == 0
    assert written <= rows // each <= written + ROUNDS * writers
    assert report["published"] == report["entries"]
    names = (Path(installation["VAR"]) / "journal" / "rows.tsv").read_text().splitlines()
    assert [int(line.partition("\t")[0]) for line in names] == list(range(report["entries"]))
