"""Nobody clicks, processes are killed: three e-mails to three people, none twice, none missing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.processes import ROOT, Mailbox, until

pytestmark = pytest.mark.process


def test_three_people_across_two_kills(installation: dict[str, str], smtp: tuple[Mailbox, int]) -> None:
    mailbox, port = smtp
    env = installation | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    subprocess.run([sys.executable, "-m", "tests.stewardship.drill", "2"], cwd=ROOT, env=env, check=True, timeout=120)

    def tick() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "manage.py", "tick"], cwd=ROOT, env=env)

    running = tick()
    try:
        for arrived in (1, 2):
            until(lambda arrived=arrived: len(mailbox.received) >= arrived, 60, f"{arrived} e-mails")  # type: ignore[misc]
            # After the server's answer has been noted: killed before that, any sender must send again (test_notices_delivery).
            time.sleep(0.5)
            running.send_signal(signal.SIGKILL)
            running.wait()
            running = tick()
        until(lambda: len(mailbox.received) >= 3, 60, "3 e-mails")
        time.sleep(5)  # time in which a fourth would arrive
    finally:
        running.terminate()
        running.wait(20)
    assert mailbox.people == ["ivan", "kate", "erin"]
    assert len({message["Message-ID"] for _recipient, message in mailbox.received}) == 3
    assert all("A drill" in message["Subject"] for _recipient, message in mailbox.received)


def test_two_ticks_are_as_one(installation: dict[str, str], smtp: tuple[Mailbox, int]) -> None:
    mailbox, port = smtp
    env = installation | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    subprocess.run([sys.executable, "-m", "tests.stewardship.drill", "1"], cwd=ROOT, env=env, check=True, timeout=120)
    ticks = [subprocess.Popen([sys.executable, "manage.py", "tick"], cwd=ROOT, env=env) for _each in range(3)]
    try:
        until(lambda: len(mailbox.received) >= 3, 90, "3 e-mails")
        time.sleep(3)
    finally:
        for process in ticks:
            process.terminate()
        for process in ticks:
            process.wait(20)
    assert mailbox.people == ["ivan", "kate", "erin"]
