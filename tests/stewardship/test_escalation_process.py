"""Nobody clicks, processes are killed: three e-mails to three people, none twice, none missing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

from tests.deep import IS_SOAK
from tests.processes import ROOT, Mailbox, noted, until

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
            # After the server's answer has been noted: killed before that, any sender must send again (the test below).
            until(lambda arrived=arrived: noted(env["DATABASE_URL"]) >= arrived, 60, f"{arrived} e-mails")  # type: ignore[misc]
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


@pytest.mark.soak
@pytest.mark.skipif(not IS_SOAK, reason="soak only: it waits for leases of a minute")
def test_killed_at_any_moment_each_person_gets_one_message(installation: dict[str, str], smtp: tuple[Mailbox, int]) -> None:
    """Between the mail server's answer and our note of it a message goes out again, and is the same message."""
    mailbox, port = smtp
    env = installation | {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    subprocess.run([sys.executable, "-m", "tests.stewardship.drill", "3"], cwd=ROOT, env=env, check=True, timeout=120)
    chance = random.Random(11)
    for _kill in range(100):
        running = subprocess.Popen([sys.executable, "manage.py", "tick"], cwd=ROOT, env=env)
        time.sleep(chance.uniform(0.5, 2.5))
        running.send_signal(signal.SIGKILL)
        running.wait()
    running = subprocess.Popen([sys.executable, "manage.py", "tick"], cwd=ROOT, env=env)
    try:
        # A message that was being sent when its process died waits for the end of its lease of a minute.
        until(lambda: noted(env["DATABASE_URL"]) >= 3, 240, "3 e-mails")
    finally:
        running.terminate()
        running.wait(20)
    assert set(mailbox.people) == {"ivan", "kate", "erin"}
    assert len({message["Message-ID"] for _recipient, message in mailbox.received}) == 3


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
