"""From the outbox into the tree: in order, once each, resumable from any line, never two histories."""

from __future__ import annotations

import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import RequestFactory

from stewardship.journal import publish as publishing
from stewardship.journal import sequence as sequencing
from stewardship.journal import wiring
from stewardship.journal.acting import SYSTEM, SYSTEM_USER_ID, acting
from stewardship.journal.completeness import complete, look_for_missed
from stewardship.journal.errors import JournalStopped, KeyMissing, NotSequenced, UnknownRecord
from stewardship.journal.findings import GOOD, UNDECIDED
from stewardship.journal.keys import retire, rotate, verifiers
from stewardship.journal.merkle import verify_consistency
from stewardship.journal.middleware import act
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Key, Outbox, note_event
from stewardship.journal.note import open_checkpoint
from stewardship.journal.offline import check_evidence, verify_proof
from stewardship.journal.proof import Prover, evidence, places
from stewardship.journal.publish import latest, mirrored_size
from stewardship.journal.save import save
from stewardship.journal.sequence import sequence, settle
from stewardship.journal.tables import shape_of, shapes
from stewardship.journal.verify import verify_database
from stewardship.people.models import User
from stewardship.regions.models import Region


def events(count: int, name: str = "test.event") -> None:
    for number in range(count):
        note_event(name, {"number": number}, actor=SYSTEM)


def published() -> Checkpoint:
    found = latest()
    assert found is not None
    return found


@pytest.fixture
def empty(db: None) -> None:
    """A journal that begins now."""
    settle()
    assert not Outbox.objects.exists()


def test_entries_stand_in_the_order_of_the_outbox(empty: None) -> None:
    size = Entry.objects.count()
    events(5)
    assert sequence(limit=2) == 2
    assert Outbox.objects.count() == 3
    assert settle() == 3
    numbers = [
        json.loads(json.loads(entry.payload)["f"]["detail"])["number"] for entry in Entry.objects.filter(index__gte=size).order_by("index")
    ]
    assert numbers == [0, 1, 2, 3, 4]
    assert [checkpoint.size for checkpoint in Checkpoint.objects.order_by("-size")[:3]] == [size + 5, size + 2, size]
    assert published().size == size + 5


def test_nothing_to_do_makes_nothing(empty: None) -> None:
    before = Checkpoint.objects.count()
    assert sequence() == 0
    assert settle() == 0
    assert Checkpoint.objects.count() == before


def test_a_leaf_says_who_when_why_and_what(empty: None) -> None:
    with acting(SYSTEM, "Because."):
        region = Region(code="one", name="One")
        region.save()
    settle()
    row = region.history.get()  # type: ignore[attr-defined]
    entry = Entry.objects.get(tbl=row._meta.db_table, hid=str(row.pk))
    leaf = json.loads(entry.payload)
    shape = shape_of(entry.tbl)
    assert shape is not None
    assert leaf["actor"] == str(SYSTEM_USER_ID)
    assert (leaf["op"], leaf["obj"], leaf["n"], leaf["prev"], leaf["schema"]) == ("+", str(region.pk), 1, "", shape.schema_id)
    assert leaf["f"]["name"] == "One"
    assert set(leaf["f"]["reason"]) == {"c"}
    assert abs(datetime.fromisoformat(leaf["recorded"]) - datetime.now(UTC)) < timedelta(minutes=1)
    schema = json.loads(Entry.objects.get(tbl="journal_schema", hid=shape.schema_id).payload)["f"]
    assert schema["f.name"] == "CharField"
    assert schema["f.reason"] == "TextField personal"


def test_every_revision_is_chained_to_the_one_before(empty: None) -> None:
    with acting(SYSTEM):
        region = Region(code="one", name="One")
        for name in ("One", "Two", "Three"):
            region.name = name
            region.save()
    settle()
    chain = list(Entry.objects.filter(obj=str(region.pk)).order_by("n"))
    assert [entry.n for entry in chain] == [1, 2, 3]
    assert [entry.prev for entry in chain] == ["", bytes(chain[0].leaf_hash).hex(), bytes(chain[1].leaf_hash).hex()]


def test_a_forged_or_doubled_outbox_row_makes_no_second_entry(empty: None) -> None:
    event = note_event("test.event", {}, actor=SYSTEM)
    waiting = Outbox.objects.get()
    for _ in range(2):
        Outbox.objects.create(tbl=waiting.tbl, hid=waiting.hid, obj=waiting.obj, recorded=waiting.recorded)
    assert sequence() == 1
    Outbox.objects.create(tbl=waiting.tbl, hid=waiting.hid, obj=waiting.obj, recorded=waiting.recorded)
    assert (sequence(), Outbox.objects.count()) == (0, 0)
    assert Entry.objects.filter(hid=str(event.pk)).count() == 1


def test_a_row_of_no_known_table_goes_on_record_as_lost(empty: None) -> None:
    Outbox.objects.create(tbl="not_ours", hid="7", obj="7", recorded="2026-01-01T00:00:00Z")
    assert settle() == 1
    assert json.loads(Entry.objects.get(tbl="not_ours").payload)["op"] == "x"
    assert verify_database().code == UNDECIDED


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_be_part_of_a_transaction() -> None:
    for work in (sequence, settle):
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            note_event("test.event", {}, actor=SYSTEM)
            work()
        settle()
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            work()  # also when nothing waits
    assert verify_database().code == GOOD


@pytest.mark.parametrize("line", ["sign_head", "mirror"])
def test_it_resumes_after_a_death_between_commit_and_publication(empty: None, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    before = published().size
    events(2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(publishing, line, _die)
        sequence()
    assert (Entry.objects.count(), Outbox.objects.count()) == (before + 2, 0)
    assert mirrored_size() == before
    assert sequence() == 0
    assert published().size == mirrored_size() == before + 2
    assert verify_database().code == GOOD


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_death_inside_the_batch_changes_nothing(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    events(2)
    for line in ("_drafts", "_write_entries", "_write_tiles"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(sequencing, line, _die)
            sequence()
        assert Outbox.objects.count() == 2
    assert sequence() == 2
    assert verify_database().code == GOOD


def test_published_checkpoints_continue_each_other(empty: None) -> None:
    heads = []
    for _ in range(4):
        events(3)
        sequence()
        heads.append(open_checkpoint(published().note, verifiers()))
    for old, new in itertools.pairwise(heads):
        verify_consistency(old.size, new.size, Prover(Checkpoint.objects.get(size=new.size)).consistency(old.size), old.root, new.root)


def test_the_state_of_a_row_only_moves_forward(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    event = note_event("test.event", {}, actor=SYSTEM)
    record = str(event.pk)
    assert places("journal_event", [record])[record].state == "queued"
    prover = Prover()
    with pytest.raises(NotSequenced):
        prover.proof("journal_event", record)
    with monkeypatch.context() as patch:
        patch.setattr(sequencing, "publish", lambda **_: None)
        sequence()
    assert places("journal_event", [record])[record].state == "sequenced"
    with pytest.raises(NotSequenced):
        prover.proof("journal_event", record)
    sequence()
    assert places("journal_event", [record, "absent"])[record].state == "published"
    assert places("journal_event", ["absent"])["absent"].state == "unknown"
    with pytest.raises(UnknownRecord):
        prover.proof("journal_event", "absent")


def test_a_proof_and_its_row_verify_offline(empty: None) -> None:
    with acting(SYSTEM, "New here."):
        person = User.objects.create_user("erin", "erin@bank.example", "correct horse battery", full_name="Erin Example")
    note_event("test.event", {"long": "x" * 5_000}, actor=SYSTEM)
    settle()
    keys = verifiers()
    for table, record in (("stewardship_historicaluser", person.history.get().pk), ("journal_event", JournalEvent.objects.latest("at").pk)):
        found = evidence(table, str(record), Prover())
        outcome = check_evidence(json.loads(json.dumps(found)), keys)
        assert (outcome.code, outcome.problems) == (GOOD, ())
        assert verify_proof(found["proof"], keys).code == GOOD
    assert "erin@bank.example" not in Entry.objects.get(tbl="stewardship_historicaluser", hid=str(person.history.get().pk)).payload
    with pytest.raises(UnknownRecord):
        evidence("not_ours", "1", Prover())
    with pytest.raises(UnknownRecord):
        evidence("stewardship_historicaluser", "999999", Prover())


def test_there_is_no_proof_before_the_first_checkpoint(db: None, tmp_path: Path) -> None:
    with pytest.raises(NotSequenced):
        Prover()
    with pytest.raises(NotSequenced):
        save(tmp_path)
    report = verify_database()
    assert (report.code, report.entries) == (GOOD, 0)


def test_an_unsigned_journal_cannot_be_decided(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencing, "publish", lambda **_: None)
    sequence()
    assert verify_database().undecided == ["No checkpoint is signed yet."]


def test_keys_are_recorded_rotated_and_retired(empty: None, settings: Any, capsys: Any) -> None:
    first = Key.objects.get()
    folder = Path(settings.KEY_FOLDER) / "journal"
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.glob("*.key"))
    assert JournalEvent.objects.get(kind="journal.key.added").detail["key"] == first.vkey
    with pytest.raises(KeyMissing, match="cannot be retired"):
        retire(first.key_id, actor=SYSTEM)
    call_command("journal", "keys", "--rotate")
    new = Key.objects.exclude(pk=first.pk).get()
    assert new.from_size == Entry.objects.count() > 0
    settle()
    assert published().note.count("\n— ") == 2
    call_command("journal", "keys", "--retire", first.key_id)
    events(1)
    settle()
    assert published().note.count("\n— ") == 1
    assert verify_database().code == GOOD
    assert capsys.readouterr().out.count(first.vkey) == 2  # still trusted for what it signed
    assert rotate(actor=SYSTEM).id != new.key_id


def test_a_lost_key_stops_the_journal_and_leaves_verification_undecided(empty: None, settings: Any, tmp_path: Path, capsys: Any) -> None:
    settings.KEY_FOLDER = tmp_path / "elsewhere"
    events(1)
    with pytest.raises(KeyMissing):
        sequence()
    assert verify_database().undecided[0].startswith("No key to check signatures with")
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "sequence")
    assert stop.value.code == UNDECIDED
    assert "Put the key file back" in capsys.readouterr().err


def test_a_row_read_back_after_its_table_changed(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new column and a retyped one leave old leaves alone; what is no longer there to compare is counted."""
    with acting(SYSTEM):
        one = Region(code="one", name="One")
        one.save()
        Region(code="two", name="Two", parent=one).save()
    settle()
    shape = shape_of("stewardship_historicalregion")
    assert shape is not None
    old = shape.schema
    changed = {**old, "f.name": "UUIDField", "f.newcomer": "CharField"}
    monkeypatch.setitem(shape.__dict__, "schema", changed)
    monkeypatch.setitem(shape.__dict__, "schema_id", "another")
    report = verify_database()
    assert (report.code, report.uncheckable) == (GOOD, 2)


def test_a_schema_leaf_says_what_its_number_says(empty: None) -> None:
    from stewardship.journal.guards import drop_guards, install_guards

    entry = Entry.objects.filter(tbl="journal_schema").order_by("index")[0]
    drop_guards()
    Entry.objects.filter(pk=entry.pk).update(payload=entry.payload.replace("CharField", "TextField"))
    install_guards()
    assert ("journal_schema", entry.hid) in {(problem.table, problem.record) for problem in verify_database().problems}
    drop_guards()
    Entry.objects.filter(pk=entry.pk).update(payload="{")
    install_guards()
    assert ("journal_schema", entry.hid) in {(problem.table, problem.record) for problem in verify_database().problems}


def test_the_command_line(empty: None, capsys: Any) -> None:
    with acting(SYSTEM):
        region = Region(code="one", name="One")
        region.save()
    event = note_event("test.event", {}, actor=SYSTEM)
    call_command("journal", "sequence")
    call_command("journal", "checkpoint")
    assert published().note in capsys.readouterr().out
    for label, key in (
        ("stewardship.region", str(region.pk)),
        ("stewardship_historicalregion", str(region.history.get().pk)),  # type: ignore[attr-defined]
        ("stewardship.journalevent", str(event.pk)),
    ):
        call_command("journal", "proof", label, key)
        assert verify_proof(capsys.readouterr().out, verifiers()).code == GOOD
    for label, key in (("stewardship.region", "nonsense"), ("stewardship.region", str(event.pk)), ("stewardship.nothing", "1")):
        with pytest.raises(SystemExit) as stop:
            call_command("journal", "proof", label, key)
        assert stop.value.code == 3
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "verify", "--against", "/nowhere/at/all")
    assert stop.value.code == 3


def test_no_checkpoint_to_print(db: None) -> None:
    with pytest.raises(SystemExit) as stop:
        call_command("journal", "checkpoint")
    assert stop.value.code == UNDECIDED


def test_a_request_acts_as_its_person_and_sequences_afterwards(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest, HttpResponse

    from stewardship.journal.acting import current

    with acting(SYSTEM):
        person = User.objects.create_user("erin", "erin@bank.example", "correct horse battery", full_name="Erin Example")
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            seen.append((current().actor_id, current().via))
        if request.method == "POST":
            events(1)
        return HttpResponse()

    handle = act(view)
    for method, path, user in (("get", "/healthz", person), ("post", "/no/such/page", person), ("post", "/healthz", AnonymousUser())):
        request = getattr(RequestFactory(), method)(path)
        request.user = user
        response = handle(request)
        assert Outbox.objects.exists()  # the answer waits for nothing
        _sent(response)
        assert Outbox.objects.exists() == (method == "get")
    assert seen == [(person.pk, "GET healthz"), (person.pk, "POST /no/such/page")]
    monkeypatch.setattr("stewardship.journal.middleware.sequence", _refuse)
    request = RequestFactory().post("/healthz")
    request.user = person
    response = handle(request)
    _sent(response)
    assert response.status_code == 200
    assert Outbox.objects.count() == 1


def _sent(response: Any) -> None:
    """What `close()` does when the server has sent the answer, but for ending the test's own connection."""
    for closer in response._resource_closers:
        closer()


def _refuse(**_: Any) -> int:
    raise JournalStopped("no")


def test_readiness_and_gauges(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from stewardship.journal.guards import drop_guards

    assert (wiring.guards(), wiring.lag(), wiring.waiting(), wiring.oldest()) == (None, None, 0, 0.0)
    assert wiring.size() == published().size
    with monkeypatch.context() as patch:
        patch.setattr(wiring.timezone, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
        assert wiring.lag() is None  # old, and published
    Outbox.objects.create(tbl="x", hid="1", obj="1", recorded=datetime.now(UTC) - timedelta(minutes=5))
    assert "has waited" in str(wiring.lag())
    Outbox.objects.all().delete()
    Checkpoint.objects.create(size=10**6, root="00", made_at=datetime.now(UTC) - timedelta(minutes=5))
    assert "not signed" in str(wiring.lag())
    Checkpoint.objects.filter(size=10**6).update(note="a note")
    assert "not in the mirror" in str(wiring.lag())
    drop_guards()
    assert "is missing" in str(wiring.guards())


def test_rows_past_the_journal_are_looked_for_and_told(empty: None) -> None:
    from stewardship.journal.guards import drop_guards, install_guards

    assert (look_for_missed(), complete()) == (0, None)
    drop_guards()
    forged = note_event("test.forged", {}, actor=SYSTEM)
    install_guards()
    assert (look_for_missed(), wiring.guards()) == (1, None)
    assert f"journal_event: 1 rows, the first is {forged.pk}" in str(complete())
    call_command("journal", "guards", "--enter-missed")
    assert complete() is None


def test_readiness_says_that_the_portal_s_own_account_could_drop_the_guards(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wiring.removable() == "guards removable"
    monkeypatch.setattr(wiring, "guards_removable", lambda: False)
    assert wiring.removable() is None


def test_every_governed_row_can_be_written_down() -> None:
    for shape in shapes():
        assert len(shape.schema_id) == 64
        assert "f.reason" in shape.schema


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_late_commit_is_not_missed() -> None:
    """A takes a lower outbox number than B and commits after B was sequenced: a remembered position would skip it."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: two writers at once")
    settle()
    written, may_commit = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            events(1, "test.late")
            written.set()
            assert may_commit.wait(10)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(10)
    events(1, "test.early")
    assert sequence() == 1
    may_commit.set()
    thread.join()
    assert sequence() == 1
    assert verify_database().code == GOOD
    found = {json.loads(entry.payload)["f"]["kind"] for entry in Entry.objects.filter(tbl="journal_event")}
    assert {"test.late", "test.early"} <= found


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_sequencers_share_the_work() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: two writers at once")
    settle()
    events(60)
    problems: list[BaseException] = []

    def work(wait: bool) -> None:
        try:
            while Outbox.objects.exists():
                sequence(limit=5, wait=wait)
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle()
    assert problems == []
    assert verify_database().code == GOOD
    assert Entry.objects.filter(tbl="journal_event").count() == JournalEvent.objects.count()
