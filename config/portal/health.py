"""Signs of life for machines: is the process up, is the installation fit to work, what are the numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client import Gauge as PrometheusGauge

from config.portal.models import Heartbeat
from config.portal.registry import gauges, readiness

log = logging.getLogger("concordat.health")

ALIVE = {"tick": timedelta(seconds=20), "worker": timedelta(minutes=3)}


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is asked, so that a slow database does not get it killed."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Every registered check by name; 503 with the reasons when one of them fails. Notes are no reasons."""
    found: dict[str, str] = {}
    notes: dict[str, str] = {}
    for check in readiness:
        found[check.name] = _answer(check.name, check.fn) or "ok"
        if check.note is not None and (note := _answer(check.name, check.note)):
            notes[check.name] = note
    ready = all(answer == "ok" for answer in found.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": found, "notes": notes}, status=200 if ready else 503)


def at_start() -> None:
    """What a serving process asks once when it starts, into its log.

    It starts all the same: a process that refused would let whoever can break one check stop every gate, and `/readyz`
    takes the process out of service where something asks it.
    """
    for check in (check for check in readiness if check.at_start):
        if answer := _answer(check.name, check.fn):
            log.critical("At start: %s: %s", check.name, answer)
    if not connection.in_atomic_block:  # somebody else's transaction is not ours to end
        close_old_connections()


def _answer(name: str, fn: Callable[[], str | None]) -> str | None:
    try:
        return fn()
    except Exception as error:
        # A check that breaks is a reason; the others still have to be told.
        # SECURITY: the answer is open to everybody, so it names the kind of error; the text stays in the log.
        log.exception("The readiness check %s broke.", name)
        return type(error).__name__


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Gauges counted from the database now; a gauge that breaks is left out and logged."""
    registry = CollectorRegistry()
    for gauge in gauges:
        try:
            value = gauge.fn()
        except Exception:
            log.exception("The gauge %s broke.", gauge.name)
            continue
        metric = PrometheusGauge(gauge.name, gauge.help, labelnames=gauge.labels, registry=registry)
        if isinstance(value, int | float):
            metric.set(value)
        else:
            for labels, number in value.items():
                metric.labels(*labels).set(number)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def database() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return None


def migrations() -> str | None:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} migrations wait; run ./concordat manage migrate." if waiting else None


def heartbeat(name: str) -> str | None:
    """Why this process counts as stopped, or which of its chores fail; None while all is well."""
    beat = Heartbeat.objects.filter(pk=name).first()
    if beat is None:
        return f"The {name} process has never run; start it with ./concordat run."
    if timezone.now() - beat.at > ALIVE[name]:
        return f"The {name} process has been silent since {beat.at:%Y-%m-%d %H:%M:%S} UTC."
    return f"In the {name} process fails: {beat.detail}" if beat.detail else None


def tick_alive() -> str | None:
    return heartbeat("tick")


def worker_alive() -> str | None:
    return heartbeat("worker")


def beats() -> dict[tuple[str, ...], float]:
    now = timezone.now()
    return {(beat.name,): (now - beat.at).total_seconds() for beat in Heartbeat.objects.all()}


def register() -> None:
    """The portal's own checks and gauges."""
    readiness.register("database", database)
    readiness.register("migrations", migrations)
    readiness.register("tick", tick_alive)
    readiness.register("worker", worker_alive)
    gauges.register("concordat_heartbeat_age_seconds", "Seconds since a process last said that it is alive.", beats, ("process",))
