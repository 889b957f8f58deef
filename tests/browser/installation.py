"""A whole installation of its own: a folder, a migrated database, and the supervisor with web, tick and worker."""

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
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 120.0  # seconds
STOPS_WITHIN = 30.0


@dataclass(frozen=True)
class Installation:
    """Where it is, and what its administrator knows."""

    base: str
    folder: Path
    password: str
    token: str

    def call(self, method: str, path: str, body: Any = None, *, files: dict[str, Path] | None = None) -> tuple[int, Any]:
        """What a pipeline does: status and document of one call with its token. With `files` it is a multipart form."""
        content, kind = _multipart(body, files) if files else (json.dumps(body).encode(), "application/json")
        request = urllib.request.Request(
            self.base + path,
            data=None if body is None else content,
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def mail(self) -> str:
        """Everything that was sent to anybody."""
        return "\n".join(path.read_text() for path in sorted((self.folder / "mail").glob("*")))


def _multipart(fields: dict[str, str], files: dict[str, Path]) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    for name, path in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{path.name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + path.read_bytes() + b"\r\n")
    return b"".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def installation(folder: Path, database: str) -> Iterator[Installation]:
    """Set up and started; ended with everything it started when the walk is over."""
    port = _free_port()
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"} | {"DATABASE_URL": database}
    env |= {"VAR": str(folder), "PORT": str(port), "WEB_WORKERS": "1", "LOG_LEVEL": "WARNING", "JOURNAL_ORIGIN": "walk.concordat.invalid"}
    env |= {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"}

    known = _set_up(env)
    (folder / "trust.json").write_text(json.dumps(known["trust"]))
    log = (folder / "supervisor.log").open("w+")
    supervisor = subprocess.Popen([sys.executable, "-m", "config.supervisor"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}"
        _until_ready(base, folder / "supervisor.log")
        yield Installation(base=base, folder=folder, password=known["password"], token=known["token"])
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(STOPS_WITHIN)
        log.close()


def _set_up(env: dict[str, str]) -> dict[str, Any]:
    """Collect the static files, migrate and seed; gives what the seed says."""
    said = ""
    for arguments in (
        ["manage.py", "collectstatic", "--noinput", "-v", "0"],
        ["manage.py", "migrate", "-v", "0"],
        ["-m", "tests.browser.seed"],
    ):
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr[-3000:]}"
        said = done.stdout
    known: dict[str, Any] = json.loads(said.splitlines()[-1])
    return known


def _until_ready(base: str, log: Path) -> None:
    """Until web, tick and worker have all given a sign of life."""
    end = time.monotonic() + STARTS_WITHIN
    problem = "no answer"
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{base}/readyz", timeout=5):
                return
        except urllib.error.HTTPError as error:
            problem = error.read().decode()
        except OSError as error:
            problem = str(error)
        time.sleep(0.3)
    raise AssertionError(f"not ready within {STARTS_WITHIN} s: {problem}\n{log.read_text()[-3000:]}")
