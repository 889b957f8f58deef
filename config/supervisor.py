"""One parent for web, tick and worker: starts them, restarts one that dies, stops all of them together.

Run with `python -m config.supervisor`. Each child has a process group of its own, so that what a killed child
left behind (django-q2's workers) ends before its successor starts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from types import FrameType

PORT = os.environ.get("PORT", "8000")
BIND = os.environ.get("BIND", f"127.0.0.1:{PORT}")
RESTART_AFTER = 1.0  # seconds; a child that cannot start must not burn a core
PATIENCE = 10.0  # seconds between "please stop" and SIGKILL

COMMANDS: dict[str, list[str]] = {
    "web": [
        sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", BIND, "--worker-class", "gthread",
        "--workers", os.environ.get("WEB_WORKERS", "2"), "--threads", "4", "--timeout", "60", "--log-level", "warning",
    ],
    "tick": [sys.executable, "manage.py", "tick"],
    "worker": [sys.executable, "manage.py", "qcluster"],
}  # fmt: skip


@dataclass
class Child:
    """One long-running process and how to end all of its group."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = field(default=0.0)

    def start(self) -> None:
        """Start, in a process group of its own."""
        self.process = subprocess.Popen(self.command, start_new_session=True)
        self.started = time.monotonic()

    def signal(self, number: signal.Signals) -> None:
        """Send to the whole group; a group that is gone already is no error."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def dead(self) -> bool:
        """Whether the process has ended."""
        return self.process is None or self.process.poll() is not None


def watch(children: list[Child], stop: threading.Event) -> None:
    """Keep every child running until `stop` is set."""
    for child in children:
        child.start()
    while not stop.wait(0.2):
        for child in children:
            if child.dead() and time.monotonic() - child.started > RESTART_AFTER:
                print(f"{child.name} ended; starting it again.", file=sys.stderr, flush=True)
                child.signal(signal.SIGKILL)
                child.start()


def end(children: list[Child]) -> None:
    """Ask all children to stop, then make them."""
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not all(child.dead() for child in children):
        time.sleep(0.1)
    for child in children:
        child.signal(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()


def main() -> int:
    """Run until SIGINT, SIGTERM or SIGHUP."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask_to_stop)
    children = [Child(name, command) for name, command in COMMANDS.items()]
    print(f"Concordat is at http://{BIND}/ . Ctrl-C stops web, tick and worker.", flush=True)
    try:
        watch(children, stop)
    finally:
        end(children)
    return 0


if __name__ == "__main__":
    sys.exit(main())
