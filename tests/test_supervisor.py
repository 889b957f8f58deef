"""`make run`: web, tick and worker under one parent, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.supervisor import unusable
from tests.processes import ROOT, Mailbox, children, free_port, processes, until

pytestmark = pytest.mark.process
START = 120  # seconds that a busy machine may take to start three Pythons


@contextmanager
def supervised(env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The parent, running, and the address of its web; afterwards it and all that it started must be gone."""
    address = f"127.0.0.1:{free_port()}"
    env = env | {"BIND": address, "WEB_WORKERS": "1"}
    with (Path(env["VAR"]) / "supervisor.log").open("ab") as log:
        parent = subprocess.Popen([sys.executable, "-m", "config.supervisor"], cwd=ROOT, env=env, stdout=log, stderr=log)
    groups: set[int] = set()
    try:
        until(lambda: len(children(parent.pid)) == 3, START, "three children")
        yield parent, f"http://{address}"
        groups |= set(children(parent.pid).values())
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(START) == 0
        assert [pid for group in groups for pid in processes(group)] == []
    finally:
        if parent.poll() is None:
            groups |= set(children(parent.pid).values())
            parent.kill()
            parent.wait()
        for group in groups:
            for pid in processes(group):
                os.kill(pid, signal.SIGKILL)


def kill(parent: subprocess.Popen[bytes], name: str) -> None:
    """kill -9 of a child alone; waits until another stands in its place and all that it had forked is gone."""
    old = children(parent.pid)[name]
    os.kill(old, signal.SIGKILL)
    until(lambda: children(parent.pid).get(name, old) != old, START, f"a new {name}")
    until(lambda: processes(old) == [], START, "the end of what it had forked")


def test_a_parent_that_is_killed_takes_all_with_it_and_the_next_run_begins(installation: dict[str, str]) -> None:
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=installation, check=True, timeout=300)
    address = f"127.0.0.1:{free_port()}"
    env = installation | {"BIND": address, "WEB_WORKERS": "1"}
    parent = subprocess.Popen([sys.executable, "-m", "config.supervisor"], cwd=ROOT, env=env)
    groups: list[int] = []
    try:
        until(lambda: len(children(parent.pid)) == 3, START, "three children")
        groups = list(children(parent.pid).values())
        until(lambda: ready(f"http://{address}")[0] == 200, START, "every check")  # the job worker has forked by then
        parent.kill()
        parent.wait()
        until(lambda: [pid for group in groups for pid in processes(group)] == [], 60, "the end of all that it had started")
        assert unusable(address) is None
    finally:
        parent.kill()
        for pid in [pid for group in groups for pid in processes(group)]:
            os.kill(pid, signal.SIGKILL)


def test_a_taken_port_ends_the_run_with_a_sentence(installation: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        run, env = [sys.executable, "-m", "config.supervisor"], installation | {"BIND": address}
        ended = subprocess.run(run, cwd=ROOT, env=env, capture_output=True, text=True, timeout=START, check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Concordat cannot listen at {address}: Address already in use. Stop what runs there, or set PORT to another number.\n"
    )
    assert "starting it again" not in ended.stderr


@pytest.mark.parametrize(("bind", "why"), [("unix:/tmp/x", None), ("203.0.113.1:1", "assign"), ("127.0.0.1:99999", "0-65535")])
def test_addresses_that_nobody_can_listen_at(bind: str, why: str | None) -> None:
    reason = unusable(bind)
    assert (reason is None) == (why is None)
    assert why is None or why in str(reason)


def ready(base: str) -> tuple[int, dict[str, str]]:
    """The status and the checks of /readyz; 0 while nobody answers."""
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=30) as answer:
            return answer.status, json.load(answer)["checks"]
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)["checks"]
    except OSError:
        return 0, {}


def test_three_people_are_called_though_tick_and_worker_are_killed(installation: dict[str, str], smtp: tuple[Mailbox, int]) -> None:
    mailbox, port = smtp
    env = installation | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    drill = [sys.executable, "-m", "tests.stewardship.drill", "2"]
    subprocess.run([*drill, "prepare"], cwd=ROOT, env=env, check=True, timeout=300)
    with supervised(env) as (parent, _base):
        subprocess.run([*drill, "begin"], cwd=ROOT, env=env, check=True, timeout=300)
        for arrived, victims in ((1, ("tick",)), (2, ("worker", "tick"))):
            until(lambda arrived=arrived: len(mailbox.received) >= arrived, START, f"{arrived} e-mails")  # type: ignore[misc]
            # After the server's answer has been noted: killed before that, any sender must send again (test_notices_delivery).
            time.sleep(0.5)
            for victim in victims:
                kill(parent, {"tick": "tick", "worker": "qcluster"}[victim])
        until(lambda: len(mailbox.received) >= 3, START, "3 e-mails")
        time.sleep(5)  # time in which a fourth would arrive
    assert mailbox.people == ["ivan", "kate", "erin"]
    assert len({message["Message-ID"] for _recipient, message in mailbox.received}) == 3


def test_an_empty_folder_becomes_ready_and_says_what_it_waits_for(installation: dict[str, str]) -> None:
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=installation, check=True, timeout=300)
    with supervised(installation) as (_parent, base):
        until(lambda: ready(base)[0], START, "an answer")
        status, checks = ready(base)
        assert checks["database"] == checks["migrations"] == "ok"
        assert (status == 200) == (set(checks.values()) == {"ok"})
        until(lambda: ready(base)[0] == 200, START, "every check")
    log = (Path(installation["VAR"]) / "supervisor.log").read_text()
    assert "Traceback" not in log
    assert "starting it again" not in log
