"""`manage.py tick`: run every chore each second until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections, connection

from config.portal import tick
from config.portal.health import at_start

log = logging.getLogger("concordat.tick")


class Command(BaseCommand):
    help = "Looks after everything that waits for its time, each second, until SIGTERM or SIGINT."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Run every chore once and stop.")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                # The chore in progress ends; the next one does not start.
                signal.signal(number, lambda *_: stop.set())
            at_start()
        last_beat = float("-inf")
        while not stop.is_set():
            started = time.monotonic()
            problems = tick.tick(threads=not options["once"])
            if options["once"] or started - last_beat >= tick.BEAT_EVERY:
                try:
                    tick.beat("tick", problems)
                    last_beat = started
                except DatabaseError:
                    log.exception("The heartbeat could not be written.")
            if options["once"]:
                return
            if not connection.in_atomic_block:  # somebody else's transaction is not ours to end
                close_old_connections()
            stop.wait(max(0.0, 1.0 - (time.monotonic() - started)))
