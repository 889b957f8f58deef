"""Any mix of writing, aborting, sequencing and dying leaves a true journal (Hypothesis; `HYPOTHESIS_PROFILE=soak` digs deep)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from stewardship.journal import publish as publishing
from stewardship.journal import sequence as sequencing
from stewardship.journal.acting import SYSTEM, acting
from stewardship.journal.findings import GOOD
from stewardship.journal.keys import verifiers
from stewardship.journal.merkle import verify_consistency
from stewardship.journal.models import Entry, Outbox, note_event
from stewardship.journal.note import TreeHead, open_checkpoint
from stewardship.journal.offline import verify_proof
from stewardship.journal.proof import Prover
from stewardship.journal.publish import latest
from stewardship.journal.sequence import sequence, settle
from stewardship.journal.tables import shapes
from stewardship.journal.verify import verify_database
from stewardship.regions.models import Region
from tests.deep import depth


class Abort(Exception):
    """Rolls a block back."""


class Died(BaseException):
    """The process is gone on this line."""


class JournalMachine(RuleBasedStateMachine):
    """The journal as its writers and its sequencer meet it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        settings.JOURNAL_FOLDER = Path(self.folder.name) / "journal"
        settings.KEY_FOLDER = Path(self.folder.name) / "keys"
        self.block = transaction.atomic()
        self.block.__enter__()
        self.block._from_testcase = True  # type: ignore[attr-defined]  # as TestCase marks its own blocks
        self.heads: list[TreeHead] = []
        self.regions: list[Region] = []

    @initialize()
    def begin(self) -> None:
        settle()

    @rule(
        name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40),
        reason=st.sampled_from(["", "because"]),
    )
    def add(self, name: str, reason: str) -> None:
        with acting(SYSTEM, reason):
            parent = self.regions[0] if self.regions else None
            region = Region(code=f"c{len(self.regions)}", name=name or "x", parent=parent)
            region.save()
        self.regions.append(region)

    @rule(which=st.integers(0, 50), language=st.sampled_from(["en", "de", "ja"]))
    def change(self, which: int, language: str) -> None:
        if self.regions:
            region = self.regions[which % len(self.regions)]
            region.language = language
            with acting(SYSTEM):
                region.save()

    @rule()
    def event(self) -> None:
        note_event("test.event", {"n": 1}, actor=SYSTEM)

    @rule(nested=st.booleans())
    def abort(self, nested: bool) -> None:
        with pytest.raises(Abort), transaction.atomic():
            note_event("test.aborted", {}, actor=SYSTEM)
            if nested:
                with transaction.atomic():
                    note_event("test.aborted", {}, actor=SYSTEM)
            raise Abort

    @rule(limit=st.integers(1, 5))
    def sequence_some(self, limit: int) -> None:
        sequence(limit=limit)
        self._publish()

    @rule(line=st.sampled_from(["_drafts", "_write_entries", "_write_tiles", "sign_head", "mirror"]))
    def die(self, line: str) -> None:
        module: Any = publishing if line in ("sign_head", "mirror") else sequencing
        kept = getattr(module, line)

        def stop(*_: Any) -> None:
            raise Died

        setattr(module, line, stop)
        try:
            sequence(limit=3)
        except Died:
            pass
        finally:
            setattr(module, line, kept)

    def _publish(self) -> None:
        newest = latest()
        assert newest is not None
        head = open_checkpoint(newest.note, verifiers())
        for old in self.heads[-3:]:
            verify_consistency(old.size, head.size, Prover().consistency(old.size) if old.size < head.size else [], old.root, head.root)
        self.heads.append(head)

    @invariant()
    def each_row_is_in_one_place(self) -> None:
        rows = sum(shape.model._base_manager.count() for shape in SHAPES)
        entries = Entry.objects.exclude(tbl="journal_schema")
        assert rows == entries.count() + Outbox.objects.count()
        indexes = list(Entry.objects.order_by("index").values_list("index", flat=True))
        assert indexes == list(range(len(indexes)))

    def teardown(self) -> None:
        settle()
        self._publish()
        assert verify_database().code == GOOD
        keys = verifiers()
        prover = Prover()
        for entry in Entry.objects.all():
            assert verify_proof(prover.of(entry).write(), keys).code == 0
        self.block._from_testcase = False  # type: ignore[attr-defined]
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)
        self.folder.cleanup()


SHAPES = [shape for shape in shapes() if shape.table in {"journal_event", "stewardship_historicalregion", "stewardship_historicaluser"}]


@pytest.mark.soak
def test_the_journal_stays_true(db: None, settings: Any) -> None:
    run_state_machine_as_test(
        JournalMachine,
        settings=hypothesis.settings(
            max_examples=depth(12, 10_000),
            stateful_step_count=depth(15, 60),
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
