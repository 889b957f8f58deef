"""What the process tests share: a real mail server, a database that other processes may open, a way to wait and to look."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

ROOT = Path(__file__).resolve().parents[1]


class Mailbox:
    """A real SMTP server's handler that keeps what it accepts."""

    def __init__(self) -> None:
        self.received: list[tuple[str, Message]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.received.extend((recipient, message_from_bytes(envelope.content)) for recipient in envelope.rcpt_tos)
        return "250 OK"

    @property
    def people(self) -> list[str]:
        return [recipient.partition("@")[0] for recipient, _message in self.received]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture
def smtp() -> Iterator[tuple[Mailbox, int]]:
    """What arrived, and the port to send to."""
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox, port
    controller.stop()


@contextmanager
def empty_database(folder: Path, name: str) -> Iterator[str]:
    """The URL of an empty database that other processes may open, on the kind of server the other tests use; `name` is its user's."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield f"sqlite:///{folder / 'drill.sqlite3'}"
        return
    import psycopg

    name = f"{os.environ.get('CONCORDAT_TEST_DB', 'test_concordat')}_{os.environ.get('PYTEST_XDIST_WORKER', 'master')}_{name}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    yield f"{url.rpartition('/')[0]}/{name}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """An empty database of this test's own."""
    with empty_database(tmp_path, "drill") as url:
        yield url


@pytest.fixture
def installation(tmp_path: Path, database: str) -> dict[str, str]:
    """The environment of an installation that has nothing yet: an empty VAR, an empty database."""
    return os.environ | {"VAR": str(tmp_path), "DATABASE_URL": database, "LOG_LEVEL": "WARNING"}


def asked(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a statement finds in a database that other processes write to."""
    if url.startswith("postgres"):
        import psycopg

        with psycopg.connect(url) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[arg-type]
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
        return list(connection.execute(sql).fetchall())


def noted(url: str) -> int:
    """How many e-mails the portal knows to have been accepted by the mail server."""
    notice = "SELECT id FROM stewardship_notice WHERE channel = 'email'"
    return int(asked(url, f"SELECT COUNT(*) FROM stewardship_delivery WHERE status = 'sent' AND notice_id IN ({notice})")[0][0])


def until(true: Callable[[], Any], seconds: float, what: str) -> None:
    """Wait for it; fails with `what` when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} within {seconds} s"
        time.sleep(0.02)


def processes(group: int) -> list[int]:
    """The living processes of a process group; what is dead and only waits to be collected does not count."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = entry.read_text().rpartition(") ")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            found.append(int(entry.parent.name))
    return found


def children(parent: int) -> dict[str, int]:
    """The living children of a process: the last word of the command line → its id."""
    found = {}
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        if words != [b""]:
            found[words[-1].decode()] = int(child)
    return found
