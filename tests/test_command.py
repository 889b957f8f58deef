"""`./concordat` and the Makefile over it: what each verb would run exists, and finds something to do."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import ROOT

SCRIPT = (ROOT / "concordat").read_text()
# What the script gives to pytest, verb by verb, as words.
PYTESTS = {
    verb: shlex.split(words)
    for verb, block in re.findall(r"^    ([a-z|]+)\).*?\n(.*?) ;;", SCRIPT, re.MULTILINE | re.DOTALL)
    for words in re.findall(r'-m pytest (.*?) "\$@"', block)
}


def run(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*words], cwd=folder, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL)


def test_three_verbs_run_tests() -> None:
    assert set(PYTESTS) == {"test", "soak", "interop"}


@pytest.mark.process
@pytest.mark.parametrize("verb", ["interop", "soak"])  # this run is what `test` finds
def test_a_verb_that_runs_tests_finds_some(verb: str) -> None:
    words = [word for word in PYTESTS[verb] if "WORKERS" not in word and word != "-n"]
    done = run(sys.executable, "-m", "pytest", *words, "-n0", "--collect-only", "-q")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert int(re.findall(r"(\d+)(?:/\d+)? tests? collected", done.stdout)[-1]) > 0


def test_help_lists_every_verb_once() -> None:
    done = run("sh", "./concordat", "help")
    listed = [verb for line in done.stdout.splitlines() for verb in line.split("\t")[0].split()[1].split("|")]
    assert done.returncode == 0
    assert len(listed) == len(set(listed))
    assert {"demo", "run", "tour", "test", "verify", "journal", "check"} <= set(listed)


def test_an_unknown_verb_is_a_usage_error() -> None:
    assert run("sh", "./concordat", "nonsense").returncode == 3


def test_each_target_of_make_calls_a_verb_of_the_script() -> None:
    verbs = {verb for labels in re.findall(r"^    ([a-z|]+)\)", SCRIPT, re.MULTILINE) for verb in labels.split("|")}
    called = set(re.findall(r"@\./concordat ([a-z]+)", (ROOT / "Makefile").read_text()))
    assert called
    assert called <= verbs


@pytest.mark.process
def test_files_are_meant_from_where_the_caller_stands(tmp_path: Path) -> None:
    desk, data = tmp_path / "desk", tmp_path / "data"
    for folder in (desk, data):
        folder.mkdir()
    # SECURITY: what lies where the caller stands is never run.
    (desk / "json.py").write_text("raise SystemExit('imported from where the caller stands')")
    # A relative data folder or database is meant from the checkout.
    there = os.path.relpath(data, ROOT)
    env = {"PATH": os.environ["PATH"], "VAR": there, "DATABASE_URL": f"sqlite:///{there}/here.sqlite3", "LOG_LEVEL": "ERROR"}

    def concordat(*words: str) -> str:
        done = subprocess.run([ROOT / "concordat", *words], cwd=desk, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    concordat("manage", "migrate", "-v", "0")
    assert {"here.sqlite3", "secret_key"} <= {path.name for path in data.iterdir()}
    concordat("journal", "sequence")
    concordat("journal", "save", "kept")
    assert (desk / "kept" / "checkpoint").is_file()
    (desk / "trust.json").write_text(concordat("trust"))
    assert "as it was written" in concordat("journal", "verify", "--against", "kept", "--trust", "trust.json")
    assert "as it was written" in concordat("journal", "verify", "--against", "./kept/checkpoint")
    concordat("manage", "spectacular", "--file", "api.yaml")
    assert (desk / "api.yaml").is_file()


@pytest.mark.process
def test_the_portal_starts_without_what_single_sign_on_would_need(tmp_path: Path) -> None:
    absent = ("jwt", "oauthlib", "openid", "requests")
    hide = f"import runpy, sys; sys.modules.update(dict.fromkeys({absent})); sys.argv = ['manage.py', 'check']"
    code = f"{hide}; runpy.run_path('manage.py', run_name='__main__')"
    env = os.environ | {"VAR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    locked = {line.partition("==")[0] for line in (ROOT / "requirements/base.lock").read_text().splitlines() if "==" in line}
    assert not {"pyjwt", "oauthlib", "python3-openid"} & locked
