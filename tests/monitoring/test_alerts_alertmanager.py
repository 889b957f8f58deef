"""The bodies that a real Alertmanager sent: it tells states, and we make episodes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitoring.alerts.models import Alert
from monitoring.alerts.receive import receive
from monitoring.signals.errors import BodyRefused
from monitoring.signals.ingest import Receipt
from monitoring.signals.models import Batch, Quarantined, Source, Verdict
from stewardship.escalation.models import Path, Run
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from tests.cast import make_version
from tests.monitoring.conftest import payload, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(alertmanager: Source, pipeline: User, model: RegisteredModel, path: Path) -> Any:
    make_version(model, "1.1.0")

    def send(body: bytes) -> Receipt:
        return receive(source=alertmanager, body=body, content_type="application/json", actor=pipeline)

    return send


def altered(name: str, **fields: Any) -> bytes:
    """A real body with its first alert or the group changed."""
    document = json.loads(payload(name))
    for key, value in fields.items():
        if key in document:
            document[key] = value
        elif value is None:
            del document["alerts"][0][key]
        else:
            document["alerts"][0][key] = value
    return json.dumps(document).encode()


def test_one_firing_alert_opens_one_of_ours(post: Any) -> None:
    post(payload("firing-one"))
    alert = Alert.objects.get()
    assert alert.title == "p99 latency of tumour-risk in DE is 412 ms (Tumour risk in Germany, reported by Alertmanager)"
    assert (alert.level, alert.version.label, alert.region.code) == ("investigate", "1.1.0", "de")  # type: ignore[union-attr]
    assert alert.next_action.endswith("/runbooks/ModelLatencyHigh")
    assert Run.objects.get().level == "investigate"


def test_a_group_opens_one_for_each_and_its_repeat_nothing(post: Any) -> None:
    assert post(payload("firing-grouped")).accepted == 3
    again = post(payload("repeat-grouped"))
    assert (again.batch, again.duplicates) == (None, 3)
    assert Alert.objects.count() == 3
    assert {(alert.region.code, alert.level) for alert in Alert.objects.select_related("region")} == {("de", "act"), ("fr", "investigate")}


def test_one_of_three_ends_while_the_group_still_fires(post: Any) -> None:
    post(payload("firing-grouped"))
    assert post(payload("firing-one-of-three-resolved")).accepted == 1
    ended = Alert.objects.get(status="resolved")
    assert (ended.region.code, ended.resolution) == ("fr", "source")
    assert Alert.objects.unresolved().count() == 2
    post(payload("resolved-grouped"))
    assert not Alert.objects.unresolved().exists()
    assert not Run.objects.live().exists()


def test_its_end_never_replaces_what_a_person_found(post: Any, ivan: User) -> None:
    post(payload("firing-one"))
    Alert.objects.get().resolve(actor=ivan, outcome="fixed", reason="Restarted the service")
    post(payload("resolved-one"))
    assert Alert.objects.get().resolution == "fixed"


def test_after_it_ended_a_person_may_still_say_what_it_was(post: Any, ivan: User) -> None:
    post(payload("firing-one"))
    post(payload("resolved-one"))
    alert = Alert.objects.get()
    assert (alert.resolution, list(Alert.objects.unjudged())) == ("source", [alert])
    ended = alert.resolved_at
    alert.resolve(actor=ivan, outcome="false_alarm", reason="A load test")
    assert (alert.resolution, alert.resolved_at) == ("false_alarm", ended)


def test_the_end_before_the_beginning_is_recorded_and_calls_nobody(post: Any) -> None:
    post(payload("resolved-one"))
    assert not Alert.objects.exists()
    post(payload("firing-one"))
    alert = Alert.objects.get()
    assert (alert.status, alert.resolution, Run.objects.count()) == ("resolved", "source", 0)


def test_an_old_end_cannot_close_a_newer_episode(post: Any) -> None:
    post(payload("firing-one"))
    post(altered("firing-one", startsAt="2026-11-22T03:00:00Z"))
    assert Alert.objects.count() == 1
    post(payload("resolved-one"))
    assert Alert.objects.get().status == "open"
    post(altered("resolved-one", startsAt="2026-11-22T03:00:00Z", endsAt="2026-11-22T03:05:00Z"))
    assert Alert.objects.get().status == "resolved"
    post(altered("firing-one", startsAt="2026-11-22T03:10:00Z"))
    assert Alert.objects.unresolved().get().episode == 2


def test_an_older_beginning_changes_nothing(post: Any) -> None:
    post(payload("firing-one"))
    key = Alert.objects.get().external_key
    post(altered("firing-one", startsAt="2026-11-22T01:00:00Z"))
    assert Alert.objects.get().external_key == key


def test_alerts_that_were_cut_are_a_fact_about_the_source(post: Any) -> None:
    receipt = post(altered("firing-one", truncatedAlerts=2))
    assert (receipt.shortfall, Batch.objects.get().shortfall) == (2, 2)
    assert Alert.objects.unresolved().count() == 1
    only = post(altered("firing-one", alerts=[], truncatedAlerts=3))
    assert (only.accepted, only.shortfall) == (0, 3)


def test_an_unknown_region_or_severity_waits_for_a_person(post: Any, alertmanager: Source) -> None:
    alertmanager.mapping = {}
    saved(alertmanager)
    labels = json.loads(payload("firing-one"))["alerts"][0]["labels"]
    assert post(payload("firing-grouped")).quarantined == 1
    assert Quarantined.objects.get().field == "region"
    post(altered("firing-one", labels=labels | {"severity": "page"}))
    assert set(Quarantined.objects.values_list("field", flat=True)) == {"region", "level"}


@pytest.mark.parametrize(
    ("mapping", "level"),
    [({"levels": {"page": "act"}}, "act"), ({"default_level": "observe"}, "observe"), ({"labels": {"level": "urgency"}}, "investigate")],
)
def test_the_mapping_says_what_their_words_mean(post: Any, alertmanager: Source, mapping: dict[str, Any], level: str) -> None:
    alertmanager.mapping = mapping
    saved(alertmanager)
    labels = json.loads(payload("firing-one"))["alerts"][0]["labels"] | {"severity": "page", "urgency": "investigate"}
    post(altered("firing-one", labels=labels))
    assert Alert.objects.get().level == level


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{}", "version"),
        (altered("firing-one", version="3"), "version"),
        (altered("firing-one", alerts=[]), "alerts"),
        (altered("firing-one", alerts="x"), "alerts"),
        (altered("firing-one", fingerprint=""), "alerts[0].fingerprint"),
        (altered("firing-one", fingerprint=None), "alerts[0].fingerprint"),
        (altered("firing-one", startsAt="yesterday"), "alerts[0].startsAt"),
        (altered("firing-one", startsAt="0001-01-01T00:00:00Z"), "alerts[0].startsAt"),
        (altered("firing-one", startsAt="2400-01-01T00:00:00Z"), "alerts[0].start"),
        (altered("resolved-one", endsAt="9999-12-31T23:59:59Z"), "alerts[0].endsAt"),
        (altered("firing-one", labels={"a": 1}), "alerts[0].labels[...]"),
        (altered("firing-one", alerts=[{}] * 1001), "alerts"),
    ],
)
def test_a_body_that_is_none_is_refused_and_names_the_field(post: Any, body: bytes, field: str) -> None:
    with pytest.raises(BodyRefused) as refused:
        post(body)
    assert refused.value.field == field
    assert not Verdict.objects.exists()
