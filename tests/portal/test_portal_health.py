"""Signs of life: what is wrong is named, and one broken check hides no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from config.portal import health, registry, tick
from config.portal.models import Heartbeat

pytestmark = pytest.mark.django_db


def _broken() -> str | None:
    raise OSError("disk on fire")


@pytest.fixture
def only() -> Iterator[registry.Readiness]:
    """The portal's own checks only; the floors above have their own tests."""
    kept = dict(registry.readiness._entries)
    for name in list(kept):
        registry.readiness.discard(name)
    registry.readiness.register("database", health.database)
    registry.readiness.register("tick", health.tick_alive)
    registry.readiness.register("worker", health.worker_alive)
    yield registry.readiness
    registry.readiness._entries.clear()
    registry.readiness._entries.update(kept)


@pytest.fixture
def chores_of_its_own() -> Iterator[None]:
    kept = dict(tick._chores)
    tick._chores.clear()
    yield
    tick._chores.clear()
    tick._chores.update(kept)


def test_alive_asks_nothing(client: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert client.get("/healthz").json() == {"status": "ok"}


def test_not_ready_until_both_processes_beat(client: Client, only: registry.Readiness) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "has never run" in response.json()["checks"]["tick"]
    Heartbeat.objects.create(name="tick", at=timezone.now())
    Heartbeat.objects.create(name="worker", at=timezone.now() - timedelta(minutes=4))
    checks = client.get("/readyz").json()["checks"]
    assert checks["tick"] == "ok"
    assert "silent since" in checks["worker"]
    Heartbeat.objects.filter(name="worker").update(at=timezone.now())
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")


def test_a_chore_that_fails_is_a_reason(client: Client, only: registry.Readiness) -> None:
    tick.beat("tick", {"escalation timers": "ValueError"})
    tick.beat("worker")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["tick"] == "In the tick process fails: escalation timers: ValueError"
    tick.beat("tick")
    assert client.get("/readyz").status_code == 200


def test_what_a_stranger_reads_names_the_error_and_the_log_tells_it(
    client: Client, only: registry.Readiness, chores_of_its_own: None, caplog: pytest.LogCaptureFixture
) -> None:
    tick.chore("mail", every=60)(_broken)
    only.register("disk", _broken)
    call_command("tick", "--once")
    tick.net()
    answer = client.get("/readyz")
    assert answer.json()["checks"]["tick"] == "In the tick process fails: mail: OSError"
    assert answer.json()["checks"]["worker"] == "In the worker process fails: mail: OSError"
    assert answer.json()["checks"]["disk"] == "OSError"
    assert "on fire" not in answer.content.decode()
    told = [str(record.exc_info[1]) for record in caplog.records if record.exc_info is not None]
    assert told == ["disk on fire"] * 2, "of the chore and of the check"


def test_a_check_that_breaks_is_a_reason(client: Client, only: registry.Readiness) -> None:
    only.register("disk", _broken)
    only.register("water", lambda: "The cellar is wet.")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] | {"disk": "OSError", "water": "The cellar is wet."} == response.json()["checks"]


def test_what_an_operator_should_know_is_no_reason(client: Client, only: registry.Readiness) -> None:
    for name in ("tick", "worker"):
        Heartbeat.objects.create(name=name, at=timezone.now())
    only.register("roof", lambda: None, note=lambda: "One tile is loose.")
    only.register("walls", lambda: None, note=lambda: None)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["roof"]) == (200, "ok")
    assert response.json()["notes"] == {"roof": "One tile is loose."}


def test_a_serving_process_says_at_its_start_what_is_wrong(only: registry.Readiness, caplog: pytest.LogCaptureFixture) -> None:
    only.register("guards", lambda: "One is missing.", at_start=True)
    only.register("disk", _broken, at_start=True)
    only.register("roof", lambda: None, at_start=True)
    only.register("later", lambda: "Not asked yet.")
    health.at_start()
    told = [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]
    assert told == ["At start: disk: OSError", "At start: guards: One is missing."]


def test_the_floors_below_registered_theirs() -> None:
    assert {"database", "migrations", "tick", "worker"} <= {check.name for check in registry.readiness}


def test_metrics_are_counted_at_scrape(client: Client) -> None:
    Heartbeat.objects.create(name="tick", at=timezone.now() - timedelta(seconds=30))
    registry.gauges.register("concordat_example", "An example.", lambda: 3)
    registry.gauges.register("concordat_broken", "Breaks.", _broken)  # type: ignore[arg-type]
    try:
        text = client.get("/metrics").content.decode()
    finally:
        registry.gauges.discard("concordat_example")
        registry.gauges.discard("concordat_broken")
    assert "concordat_example 3.0" in text
    assert 'concordat_heartbeat_age_seconds{process="tick"} 3' in text
    assert "concordat_broken" not in text


def test_waiting_migrations_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: [object(), object()])
    assert health.migrations() == "2 migrations wait; run ./concordat manage migrate."
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: [])
    assert health.migrations() is None
