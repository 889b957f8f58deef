"""Two workers at once, on real connections: one batch, one series, one alert."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import close_old_connections, connection

from config.portal.errors import IllegalTransition
from monitoring.alerts.models import Alert
from monitoring.alerts.receive import receive
from monitoring.signals.models import Batch, Metric, Series, Source, Window
from monitoring.thresholds.models import Rule, Track
from stewardship.escalation.models import Path, Run
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from tests.cast import make_version
from tests.monitoring.conftest import body, payload, saved, window

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _postgres() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run all of them in threads that start together; gives results and refusals."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(index: int, job: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[index] = job()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, job)) for index, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    close_old_connections()
    return results


def test_the_same_batch_twice_at_once_is_one_batch(
    source: Source, pipeline: User, metric: Metric, model: RegisteredModel, rule: Rule, path: Path
) -> None:
    text = body(*(window(hour, 0.46) for hour in range(20)))
    post = lambda: receive(source=source, body=text, content_type="application/json", actor=pipeline)  # noqa: E731
    receipts = at_once(*[post] * 4)
    assert sorted(receipt.accepted for receipt in receipts) == [0, 0, 0, 20]
    assert (Batch.objects.count(), Window.objects.count(), Alert.objects.count(), Run.objects.count()) == (1, 20, 1, 1)


def test_two_sources_about_one_series_at_once_make_one_series_and_one_alert(
    source: Source, pipeline: User, metric: Metric, model: RegisteredModel, rule: Rule, path: Path
) -> None:
    other = saved(Source(slug="other", name="Other", kind="native", region=source.region, user=pipeline))

    def post(where: Source, hour: int) -> Callable[[], Any]:
        text = body(window(hour, 0.46))
        return lambda: receive(source=where, body=text, content_type="application/json", actor=pipeline)

    results = at_once(*(post(where, hour) for hour, where in enumerate([source, other] * 3)))
    assert [receipt.accepted for receipt in results] == [1] * 6
    assert (Series.objects.count(), Track.objects.count(), Window.objects.count(), Alert.objects.count()) == (1, 1, 6, 1)


def test_the_same_alert_twice_at_once_opens_one(alertmanager: Source, pipeline: User, model: RegisteredModel, path: Path) -> None:
    make_version(model, "1.1.0")
    post = lambda: receive(source=alertmanager, body=payload("firing-one"), content_type="application/json", actor=pipeline)  # noqa: E731
    at_once(*[post] * 4)
    assert (Alert.objects.count(), Run.objects.count(), Batch.objects.count()) == (1, 1, 1)


def test_two_people_acknowledge_at_once_and_one_was_faster(
    source: Source, pipeline: User, metric: Metric, model: RegisteredModel, rule: Rule, path: Path, ivan: User, alice: User
) -> None:
    receive(source=source, body=body(window(0, 0.46)), content_type="application/json", actor=pipeline)
    results = at_once(*(lambda user=user: Alert.objects.get().acknowledge(actor=user) for user in (ivan, alice)))  # type: ignore[misc]
    assert sorted(type(result).__name__ for result in results) == [IllegalTransition.__name__, "NoneType"]
    assert Alert.objects.get().history.filter(status="acknowledged").count() == 1
