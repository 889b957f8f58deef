"""Who may be recorded doing what: no actor, no write; no trace, no write; documents exact to the digit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from stewardship.journal import canonical
from stewardship.journal.acting import SYSTEM, SYSTEM_USER_ID, BackdatingRefused, NoActor, acting, current, moment
from stewardship.journal.fields import DocumentFormField, as_decimal
from stewardship.journal.findings import GOOD, MOST, Problem, Report
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Key, Tile, note_event
from stewardship.journal.record import FactsNeverChange, HistoryBypassed
from stewardship.journal.sequence import settle
from stewardship.journal.verify import verify_database
from stewardship.regions.models import Region


def test_nothing_is_saved_without_an_actor(db: None) -> None:
    for save in (Region(code="x", name="X").save, JournalEvent(kind="x").save, Region(code="x", name="X").delete, current):
        with pytest.raises(NoActor):
            save()
    assert not Region.objects.filter(code="x").exists()


def test_an_inner_act_keeps_the_outer_reason_and_way() -> None:
    with acting(SYSTEM, "outer", via="tick"):
        with acting(SYSTEM) as act:
            assert (act.actor_id, act.reason, act.via, act.at) == (SYSTEM_USER_ID, "outer", "tick", None)
        assert abs(moment() - datetime.now(UTC)).total_seconds() < 5


def test_only_example_data_may_be_backdated(settings: Any) -> None:
    then = datetime(2024, 1, 1, tzinfo=UTC)
    settings.JOURNAL_ORIGIN = "real.example"
    with pytest.raises(BackdatingRefused), acting(SYSTEM, at=then):
        pass
    settings.JOURNAL_ORIGIN = "demo.invalid"
    with acting(SYSTEM, at=then), acting(SYSTEM, "inner"):
        assert moment() == then


def test_writes_that_leave_no_history_are_refused(db: None) -> None:
    for write in (
        lambda: Region.objects.update(name="x"),
        lambda: Region.objects.bulk_create([]),
        lambda: Region.objects.bulk_update([], ["name"]),
        lambda: Region.objects.all().delete(),
    ):
        with pytest.raises(HistoryBypassed, match="leaves no history"):
            write()


def test_a_fact_is_written_once(db: None) -> None:
    event = note_event("test.event", {}, actor=SYSTEM)
    for again in (event.save, event.delete):
        with pytest.raises(FactsNeverChange):
            again()


def test_a_noun_is_removed_on_record(db: None) -> None:
    with acting(SYSTEM, "made"):
        region = Region(code="x", name="X")
        region.save()
    row = region.history.get()  # type: ignore[attr-defined]
    assert row.history_user == SYSTEM_USER_ID
    with acting(SYSTEM, "no longer needed"):
        region.delete()
    assert list(type(row).objects.order_by("history_id").values_list("history_type", "history_change_reason")) == [
        ("+", "made"),
        ("-", "no longer needed"),
    ]


def test_a_stale_copy_writes_no_false_history(db: None) -> None:
    with acting(SYSTEM, "made"):
        region = Region(code="x", name="Old")
        region.save()
        first, second = Region.objects.get(pk=region.pk), Region.objects.get(pk=region.pk)
        first.name = "New"
        first.save()
        second.language = "de"
        second.save(update_fields=["language"])
    rows = Region.history.model.objects.order_by("history_id")  # type: ignore[attr-defined]
    assert list(rows.values_list("name", "language")) == [("Old", "en"), ("New", "en"), ("New", "de")]
    with acting(SYSTEM, "no longer needed"):
        region.delete()
    last = rows.last()
    assert (last.history_type, last.name, last.language) == ("-", "New", "de")
    settle()
    assert verify_database().code == GOOD


def test_a_row_that_is_gone_cannot_be_saved_again(db: None) -> None:
    with acting(SYSTEM, "made"):
        region = Region(code="x", name="X")
        region.save()
        Region.objects.get(pk=region.pk).delete()
        with pytest.raises(DatabaseError), transaction.atomic():
            region.save(update_fields=["name"])


@pytest.mark.django_db(transaction=True)
def test_a_death_between_a_noun_and_its_history_leaves_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    with acting(SYSTEM, "made"):
        region = Region(code="x", name="Old")
        region.save()
        region.name = "New"
        model = Region.history.model  # type: ignore[attr-defined]
        for change in (region.save, region.delete):
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(model, "save", _die)
                change()
            assert Region.objects.get(pk=region.pk).name == "Old"
            assert model.objects.count() == 1


def _die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_documents_have_one_spelling() -> None:
    assert canonical.dump({"b": [Decimal("1.50"), Decimal("1E+2")], "a": {"y", "x"}}) == b'{"a":["x","y"],"b":[1.5,100]}'
    assert canonical.load('{"a":0.1}') == {"a": Decimal("0.1")}
    assert canonical.digest({"a": Decimal("1.0")}) == canonical.digest({"a": 1})
    with pytest.raises(canonical.FloatRefused):
        canonical.dump({"a": [0.1]})
    assert as_decimal(0.1) == Decimal("0.1")


HOSTILE = ("1e300000", "1e99999999999999999999", "[1e-9999]", "[" * 5000 + "]" * 5000, "[" * 200 + "]" * 200, "1" + "0" * 450)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_a_document_beyond_all_measure_is_refused_in_forms(text: str) -> None:
    with pytest.raises(ValidationError, match=r"digits|deep"):
        DocumentFormField().clean(text)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, Decimal("NaN"), 10**400, Decimal("-1E+400")])
def test_what_cannot_be_written_down_is_a_refusal(value: object) -> None:
    with pytest.raises(canonical.Unwritable) as refusal:
        canonical.dump([value])
    assert refusal.value.remedy
    assert canonical.dump([Decimal("1E+308"), Decimal("5E-324")]), "every float fits"


def test_a_document_in_a_form() -> None:
    field = DocumentFormField(required=False)
    assert field.clean('{"a": 0.10}') == {"a": Decimal("0.1")}
    assert field.clean("") is None
    with pytest.raises(ValidationError, match="not JSON"):
        field.clean("{")
    assert field.prepare_value(None) is None
    assert field.prepare_value("{") == "{"
    assert field.prepare_value({"a": 1}) == '{\n  "a": 1\n}'
    assert not field.has_changed({"a": 1}, '{\n  "a": 1\n}')
    model_field = JournalEvent._meta.get_field("detail")
    assert isinstance(model_field.formfield(), DocumentFormField)
    event = JournalEvent(kind="x", detail={"a": 1})
    assert model_field.value_to_string(event) == '{"a":1}'
    assert model_field.to_python({"a": 1}) == {"a": 1}


def test_a_report_keeps_a_thousand_problems_and_counts_the_rest() -> None:
    report = Report()
    for number in range(MOST + 5):
        report.add(Problem("t", str(number), "x"))
        report.add(Problem("t", "0", "x"))
    assert (len(report.problems), report.more) == (MOST, 5)
    assert str(Problem("t", "1", "changed", "name", 7)) == "t 1 .name: changed (entry 7)"


def test_the_journal_s_rows_have_names() -> None:
    names = [
        Entry(index=1, tbl="t", hid="h"),
        Tile(level=0, index=2),
        Checkpoint(size=3, root="ab"),
        Key(key_id="k"),
        JournalEvent(kind="x"),
    ]
    assert [str(row) for row in names] == ["1 t h", "0/2", "3 ab", "k", "x"]
