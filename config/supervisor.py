"""One parent for web, tick and worker: starts them, restarts one that dies, stops all of them together.

Run with `python -m config.supervisor`. Each child has a process group of its own, so that what a killed child
left behind (django-q2's workers) ends before its successor starts. A parent that is killed takes its children with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

PORT = os.environ.get("PORT", "8000")
BIND = os.environ.get("BIND", f"127.0.0.1:{PORT}")
RESTART_AFTER = 1.0  # seconds; a child that cannot start must not burn a core
PATIENCE = 10.0  # seconds between "please stop" and SIGKILL
FREE_WITHIN = 5.0  # seconds that an earlier run may take to give its port back
PR_SET_PDEATHSIG = 1  # linux/prctl.h

COMMANDS: dict[str, list[str]] = {
    "web": [
        sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", BIND, "--worker-class", "gthread",
        "--workers", os.environ.get("WEB_WORKERS", "2"), "--threads", "4", "--timeout", "60", "--log-level", "warning",
    ],
    "tick": [sys.executable, "manage.py", "tick"],
    "worker": [sys.executable, "manage.py", "qcluster"],
}  # fmt: skip


def with_its_parent() -> Callable[[], None]:
    """To be called in a new child: the kernel asks it to stop when its parent is gone, however that came."""
    libc, parent = ctypes.CDLL(None), os.getpid()  # loaded before the fork

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it went in between
            os._exit(1)

    return arrange


@dataclass
class Child:
    """One long-running process and how to end all of its group."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = field(default=0.0)

    def start(self) -> None:
        """Start, in a process group of its own."""
        # This process has one thread, so nothing that a child could wait for is locked in the fork.
        self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=with_its_parent())
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


def unusable(bind: str) -> OSError | None:
    """Why nothing can listen at `host:port`; None where something can, and for a socket that is a file."""
    host, _colon, port = bind.rpartition(":")
    if not port.isdecimal():
        return None
    host = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does: what has just closed is no hindrance
        try:
            probe.bind((host, int(port)))
        except (OSError, OverflowError) as error:
            return error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error))
    return None


def main() -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; 1 when the address cannot be had."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask_to_stop)
    ends = time.monotonic() + FREE_WITHIN
    while (reason := unusable(BIND)) is not None:
        if reason.errno != errno.EADDRINUSE or time.monotonic() > ends or stop.wait(0.2):
            remedy = "Stop what runs there, or set PORT to another number."
            print(f"Concordat cannot listen at {BIND}: {reason.strerror}. {remedy}", file=sys.stderr)
            return 1
    children = [Child(name, command) for name, command in COMMANDS.items()]
    print(f"Concordat is at http://{BIND}/ . Ctrl-C stops web, tick and worker.", flush=True)
    try:
        watch(children, stop)
    finally:
        end(children)
    return 0


if __name__ == "__main__":
    sys.exit(main())
