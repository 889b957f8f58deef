"""Ways to read a database that others write to meanwhile, and one in which somebody left what our columns never hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import OperationalError, connection, connections, transaction

T = TypeVar("T")


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside is of one moment; writers go on. Inside a caller's transaction it is that transaction's view."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        connection.ensure_connection()
        sqlite: Any = connections["default"]
        mode, sqlite.transaction_mode = sqlite.transaction_mode, "DEFERRED"  # IMMEDIATE would keep writers out
        try:
            with transaction.atomic():
                yield
        finally:
            sqlite.transaction_mode = mode
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def undecodable(error: Exception) -> bool:
    """Whether SQLite says that a text is not UTF-8."""
    return "Could not decode" in str(error)


def leniently(work: Callable[[], T]) -> T:
    """Do `work`; once more, with such bytes as lone surrogates, when SQLite holds a text that is not UTF-8."""
    try:
        return work()
    except OperationalError as error:
        if not undecodable(error):
            raise
    kept = connection.connection.text_factory
    connection.connection.text_factory = lambda data: data.decode(errors="surrogateescape")
    try:
        return work()
    finally:
        connection.connection.text_factory = kept


def octets(value: object) -> bytes:
    """A stored hash, tile or salt; empty when somebody put something else in its place."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def printable(value: object) -> str:
    """The same text for whoever writes it down: what is no Unicode, as escapes."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="backslashreplace")
    text = str(value)
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
