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
from tests.processes import until

CHILD = Path(__file__).with_name("journal_child.py")
ROOT = CHILD.parent.parent.parent


class Nursery:
    """Children of one process that has everything loaded and no database open."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        command = [sys.executable, str(CHILD), "nursery"]
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._folder, self._count = folder, 0
        self._living: set[int] = set()

    def start(self, verb: str) -> tuple[int, Path]:
        """A child at this work: its number, and the file that grows by a byte for each of its transactions."""
        self._count += 1
        said = self._folder / f"said-{self._count}"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{verb} {said}\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        self._living.add(child)
        return child, said

    def kill(self, child: int) -> None:
        """Minus nine."""
        os.kill(child, signal.SIGKILL)
        self._living.discard(child)  # its number may soon be somebody else's

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *error: object) -> None:
        """No more children, and none left behind."""
        for child in list(self._living):
            self.kill(child)
        self._process.communicate(timeout=30)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _start(verb: str, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(CHILD), verb], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), "journal", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


ROUNDS = depth(3, 250)  # four kills each


@pytest.mark.soak
@pytest.mark.process
def test_kill_minus_nine_loses_and_doubles_nothing(installation: dict[str, str], tmp_path: Path) -> None:
    begun = _start("begin", installation)
    before, each = map(int, begun.communicate(timeout=300)[0].split())
    assert (begun.returncode, each) == (0, 10)
    rng = random.Random(7)
    written, writers, killed = 1, 2, 0
    with Nursery(installation, tmp_path) as nursery:
        for _ in range(ROUNDS):
            at_work = [nursery.start("write") for _number in range(writers)]
            sequencers = [nursery.start(verb) for verb in ("sequence", "sequence-without-waiting")]
            until(lambda: all(said.exists() and said.stat().st_size for _pid, said in at_work), 120, "the writers")  # noqa: B023 - used at once
            time.sleep(rng.uniform(0.0, 0.5))
            for pid, _said in (*sequencers, *at_work):
                nursery.kill(pid)
                killed += 1
                time.sleep(rng.uniform(0.0, 0.1))
            until(lambda: all(_is_gone(pid) for pid, _said in (*sequencers, *at_work)), 60, "their end")  # noqa: B023
            written += sum(said.stat().st_size for _pid, said in at_work)
    assert killed == 4 * ROUNDS
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
