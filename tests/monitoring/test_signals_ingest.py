"""One body, stored once: new facts, repeats, what nobody can place, and what must be refused."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone, translation

from config.portal.errors import Forbidden, IllegalTransition, Invalid
from monitoring.alerts.receive import place
from monitoring.signals.errors import BodyRefused, UnknownSource
from monitoring.signals.ingest import ingest
from monitoring.signals.models import Batch, Metric, Quarantined, Series, Source, Window
from monitoring.signals.quarantine import dismiss, resolve
from stewardship.access.errors import NotVisible
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from tests.cast import Cast, make_version
from tests.monitoring.conftest import Send, body, saved, window


def test_a_batch_is_one_fact_with_digest_and_counts_and_its_windows_are_exact(send: Send, source: Source) -> None:
    receipt = send(window(0, 0.1), window(1, 0.30000000000000004))
    assert receipt.batch is not None
    text = body(window(0, 0.1), window(1, 0.30000000000000004))
    assert (receipt.accepted, receipt.batch.sha256) == (2, hashlib.sha256(text).hexdigest())
    assert list(Window.objects.order_by("end").values_list("value", flat=True)) == [Decimal("0.1"), Decimal("0.3")]
    series = Series.objects.get()
    assert (series.model.slug, series.metric.slug, series.method, series.direction) == (
        "tumour-risk",
        "drift",
        "wasserstein",
        "higher_is_worse",
    )


def test_the_same_facts_again_are_nothing_new(send: Send) -> None:
    first = send(window(0, 0.1))
    same = send(window(0, 0.1))
    assert (same.batch, same.duplicates, same.accepted) == (None, 1, 0)
    more = send(window(0, 0.1), window(1, 0.1), window(1, 0.2))
    assert (more.duplicates, more.accepted) == (2, 1)
    reordered = send(window(1, 0.1), window(0, 0.1))
    assert (reordered.batch, reordered.duplicates) == (None, 2)
    assert (Window.objects.count(), Batch.objects.count()) == (2, 2)
    assert first.batch != more.batch


def test_a_corrected_value_is_a_new_row_and_the_old_one_stays(send: Send) -> None:
    send(window(0, 0.1))
    send(window(0, 0.4, id="correction"))
    assert [window.value for window in Window.objects.newest_first()] == [Decimal("0.4"), Decimal("0.1")]


def test_method_version_environment_region_and_subject_each_make_a_series_of_their_own(send: Send, model: RegisteredModel) -> None:
    make_version(model, "1.0.0")
    variants: list[dict[str, Any]] = [
        {},
        {"method": "ks_p_value"},
        {"version": "1.0.0"},
        {"environment": "production"},
        {"region": "FR"},
        {"subject": "mean area"},
    ]
    send(*(window(0, 0.1, id=f"v{index}", **fields) for index, fields in enumerate(variants)))
    assert Series.objects.count() == len(variants)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "nobody"}, "model"),
        ({"model": "credit-line"}, "model"),
        ({"version": "9"}, "version"),
        ({"environment": "moon"}, "environment"),
        ({"region": "moon"}, "region"),
        ({"metric": "moon"}, "metric"),
        ({"metric": "free"}, "direction"),
    ],
)
def test_what_nobody_can_place_waits_in_quarantine(
    send: Send, cast: Cast, foreign_model: RegisteredModel, fields: dict[str, Any], field: str
) -> None:
    saved(Metric(slug="free", name="Free"))
    receipt = send(window(0, 0.46, **fields), window(1, 0.1))
    assert (receipt.accepted, receipt.quarantined) == (1, 1)
    item = Quarantined.objects.get()
    assert (item.field, item.fact["value"], receipt.problems[0].index) == (field, Decimal("0.46"), 0)
    assert send(window(0, 0.46, **fields), window(1, 0.1)).quarantined == 0


def test_what_quarantine_keeps_is_in_nobodys_own_language(send: Send) -> None:
    with translation.override("de"):
        receipt = send(window(0, 0.46, environment="moon"))
    assert receipt.problems[0].message == Quarantined.objects.get().problem == "No environment “moon” is known."


def test_a_model_out_of_reach_and_no_model_at_all_are_told_apart_by_nobody(send: Send, foreign_model: RegisteredModel) -> None:
    foreign, none = send(window(0, 0.1, model="credit-line")), send(window(1, 0.1, model="credit-lime"))
    assert foreign.problems[0].message.replace("credit-line", "X") == none.problems[0].message.replace("credit-lime", "X")


def test_a_fact_that_contradicts_its_series_about_which_way_is_bad_is_not_judged(send: Send) -> None:
    send(window(0, 0.1))
    receipt = send(window(1, 0.1, direction="lower_is_worse"))
    assert (receipt.quarantined, Quarantined.objects.get().field) == (1, "direction")


def test_once_the_model_is_known_the_fact_can_be_placed(send: Send, frank: User, rule: Any) -> None:
    send(window(0, 0.46, model="tumor-risk"))
    item = Quarantined.objects.get()
    with pytest.raises(Invalid, match="tumor-risk"):
        resolve(item, actor=frank)
    with pytest.raises(Invalid, match="value"):
        resolve(item, actor=frank, corrections={"value": "0.1"})
    receipt = place(item, actor=frank, corrections={"model": "tumour-risk"}, reason="A typing error")
    assert (receipt.accepted, Window.objects.get().value, item.status) == (1, Decimal("0.46"), "placed")
    with pytest.raises(IllegalTransition):
        dismiss(item, actor=frank, reason="Not needed")


def test_a_fact_is_dismissed_with_a_reason_by_somebody_who_may(send: Send, frank: User, alice: User, charlie: User) -> None:
    send(window(0, 0.46, model="tumor-risk"))
    item = Quarantined.objects.get()
    with pytest.raises(Invalid):
        dismiss(item, actor=frank, reason=" ")
    with pytest.raises(NotVisible):
        dismiss(item, actor=charlie, reason="I say so")
    dismiss(item, actor=frank, reason="A test of the source")
    assert (item.status, item.history.first().history_change_reason) == ("dismissed", "A test of the source")
    assert send(window(0, 0.46, model="tumor-risk")).duplicates == 1


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'{"signals": []}', "signals"),
        (b'{"signals": [], "extra": 1}', "extra"),
        (b'{"signals": [1]}', "signals[0]"),
        (body(window(0, "0.1")), "signals[0].value"),
        (body(window(0, True)), "signals[0].value"),
        (body(window(0, None)), "signals[0].value"),
        (body(window(0, 1e300)), "signals[0].value"),
        (body(window(0, 0.1, source_threshold="x")), "signals[0].source_threshold"),
        (body(window(0, 0.1, n=-1)), "signals[0].n"),
        (body(window(0, 0.1, n=1.5)), "signals[0].n"),
        (body(window(0, 0.1, model="")), "signals[0].model"),
        (body(window(0, 0.1, subject="a\x00b")), "signals[0].subject"),
        (body(window(0, 0.1, id="x" * 201)), "signals[0].id"),
        (body(window(0, 0.1, direction="sideways")), "signals[0].direction"),
        (body(window(0, 0.1, unknown=1)), "signals[0].unknown"),
        (body(window(0, 0.1), window(1, 0.1, start="2026-11-01T00:00:00")), "signals[1].start"),
        (body(window(0, 0.1, start="0001-01-01T00:00:00+14:00")), "signals[0].start"),
        (body(window(0, 0.1, end="9999-12-31T23:59:59-14:00")), "signals[0].end"),
        (body(window(5, 0.1, end="2026-11-01T00:00:00Z")), "signals[0].end"),
        (body(window(0, 0.1, end=(NOW + timedelta(minutes=6, hours=1)).isoformat())), "signals[0].end"),
        (json.dumps({"signals": [{key: value for key, value in window(0, 0.1).items() if key != "end"}]}).encode(), "signals[0].end"),
    ],
)
def test_a_wrong_body_is_refused_whole_and_names_the_field(source: Source, pipeline: User, text: bytes, where: str) -> None:
    with pytest.raises(BodyRefused) as refused:
        ingest(source=source, body=text, content_type="application/json", actor=pipeline)
    assert refused.value.field == where
    assert not Batch.objects.exists()


def test_every_wrong_fact_is_named_and_the_right_one_is_not_stored(send: Send) -> None:
    with pytest.raises(BodyRefused) as refused:
        send(window(0, 0.1), window(1, "x"), window(2, 0.1, n="many"))
    assert [(item["index"], item["field"]) for item in refused.value.errors] == [(1, "value"), (2, "n")]
    assert not Window.objects.exists()


def test_more_facts_than_a_body_may_hold_are_refused(send: Send) -> None:
    with pytest.raises(BodyRefused, match="5000"):
        send(*[window(0, 0.1)] * 5001)


def test_a_clock_that_is_a_little_fast_is_forgiven(send: Send) -> None:
    end = timezone.now() + timedelta(minutes=4)
    assert send(window(0, 0.1, end=end.isoformat())).accepted == 1


def cloud_event(identity: str, **fields: Any) -> dict[str, Any]:
    data = {key: value for key, value in window(0, 0.1).items() if key != "id"}
    return {
        "specversion": "1.0",
        "id": identity,
        "source": "/watch/1",
        "type": "concordat.signal.v1",
        "traceparent": "00-ab",
        "data": data | fields,
    }


def test_cloud_events_are_known_by_source_and_id(source: Source, pipeline: User, metric: Metric, model: RegisteredModel) -> None:
    one = json.dumps(cloud_event("1")).encode()
    many = json.dumps([cloud_event("1"), cloud_event("2")]).encode()
    single = ingest(source=source, body=one, content_type="application/cloudevents+json; charset=utf-8", actor=pipeline)
    batch = ingest(source=source, body=many, content_type="application/cloudevents-batch+json", actor=pipeline)
    assert (single.accepted, batch.accepted, batch.duplicates) == (1, 1, 1)
    assert set(Window.objects.values_list("external_id", flat=True)) == {"/watch/1#1", "/watch/1#2"}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (cloud_event("1") | {"specversion": "0.3"}, "specversion"),
        (cloud_event("1") | {"type": "other"}, "type"),
        (cloud_event("1") | {"source": ""}, "source"),
        (cloud_event("x" * 195), "id"),
        (cloud_event("1", unknown=1), "unknown"),
    ],
)
def test_a_wrong_cloud_event_is_refused(source: Source, pipeline: User, event: dict[str, Any], field: str) -> None:
    with pytest.raises(BodyRefused) as refused:
        ingest(source=source, body=json.dumps(event).encode(), content_type="application/cloudevents+json", actor=pipeline)
    assert refused.value.items[0].field == field
    with pytest.raises(BodyRefused):
        ingest(source=source, body=b"{", content_type="application/cloudevents+json", actor=pipeline)


def test_nobody_sends_without_the_right_and_nothing_comes_from_a_source_that_is_off(source: Source, charlie: User, pipeline: User) -> None:
    with pytest.raises(Forbidden):
        ingest(source=source, body=body(window(0, 0.1)), content_type="application/json", actor=charlie)
    source.active = False
    saved(source)
    with pytest.raises(UnknownSource):
        ingest(source=source, body=body(window(0, 0.1)), content_type="application/json", actor=pipeline)


def test_the_context_a_source_sends_is_kept(send: Send) -> None:
    send(window(0, 0.1, baseline="week 1", source_threshold=0.1, source_verdict="fail"))
    assert Window.objects.get().context == {"baseline": "week 1", "source_threshold": Decimal("0.1"), "source_verdict": "fail"}


def test_many_facts_take_a_bounded_number_of_queries(send: Send, django_assert_max_num_queries: Any, rule: Any) -> None:
    with django_assert_max_num_queries(45):
        send(*(window(hour, 0.05) for hour in range(300)))
