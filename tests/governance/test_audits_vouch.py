"""The seal vouches only for what was compared: whatever was changed behind the portal, no report and no bundle repeats it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from governance.audits import attach, build, bundle, vouch
from governance.audits.errors import FileDiffers
from governance.audits.models import Report, Status
from governance.audits.offline import CHECKPOINT, MANIFEST
from governance.audits.request import request
from governance.audits.rows import collect
from stewardship.documents import pdf, seal
from stewardship.documents.blobs import store
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.guards import drop_guards, install_guards
from stewardship.people.models import User, system_user
from tests.cast import Cast
from tests.governance.audit_case import MADE, ready, story


@pytest.fixture
def report(cast: Cast) -> Report:
    return request(model=story(cast), actor=cast.users["alice"])


def behind_the_portal(*statements: str) -> None:
    """As somebody with the database account and no key, who leaves the guards as they were."""
    drop_guards("default")
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    install_guards("default")


FORGERIES = {
    "an approver renamed in the history of people": ["UPDATE stewardship_historicaluser SET full_name = 'Mallory' WHERE username = 'bob'"],
    "an approver renamed without a trace of the entry": [
        "UPDATE stewardship_historicaluser SET full_name = 'Mallory' WHERE username = 'bob'",
        "DELETE FROM journal_secret WHERE tbl = 'stewardship_historicaluser' AND field = 'full_name'",
    ],
    "a role renamed": ["UPDATE stewardship_historicalrole SET name = 'nobody' WHERE slug = 'validator'"],
    "a region renamed": ["UPDATE stewardship_historicalregion SET name = 'Elsewhere' WHERE code = 'de'"],
    "a signer renamed, the salt of the name deleted": [
        "UPDATE stewardship_signature SET printed_name = 'Mallory Moss'",
        "DELETE FROM journal_secret WHERE tbl = 'stewardship_signature' AND field = 'printed_name'",
    ],
    "a decision's time": ["UPDATE governance_decision SET at = '2020-01-01 00:00:00+00:00'"],
    "a decision's reason, its salt deleted": [
        "UPDATE governance_decision SET reason = 'Another reason'",
        "DELETE FROM journal_secret WHERE tbl = 'governance_decision' AND field = 'reason'",
    ],
    "a change's author": [
        "UPDATE governance_historicalchangerequest SET history_user_id = (SELECT id FROM stewardship_user WHERE username = 'gita')"
    ],
    "a creation made an edit": ["UPDATE stewardship_historicalmodelversion SET history_type = '~' WHERE label = '1.0.0'"],
    "an entry that is no leaf": ["UPDATE journal_entry SET payload = '{}' WHERE tbl = 'governance_decision'"],
}


def refused(report: Report) -> str:
    """Why the report was not made."""
    failed = ready(report)
    assert (failed.status, failed.blob) == (Status.FAILED, None)
    return failed.problem


def test_a_forged_row_is_named_and_nothing_is_sealed(report: Report) -> None:
    for name, statements in FORGERIES.items():
        with transaction.atomic():
            behind_the_portal(*statements)
            problem = refused(report)
            assert "is not what entry" in problem, (name, problem)
            assert "journal verify" in problem, (name, problem)
            transaction.set_rollback(True)


def test_the_last_step_of_an_object_cannot_be_taken_out_with_its_entry(report: Report) -> None:
    """Its chain is whole without it; only the tree shows the hole."""
    last = "(SELECT MAX(history_id) FROM monitoring_historicalalert)"
    behind_the_portal(
        f"DELETE FROM journal_entry WHERE tbl = 'monitoring_historicalalert' AND hid = CAST({last} AS TEXT)",
        f"DELETE FROM monitoring_historicalalert WHERE history_id = {last}",
    )
    assert "The journal is not as it was written" in refused(report)


def test_an_object_cannot_be_taken_out_altogether(report: Report) -> None:
    tables = ("governance_permit", "governance_verdict")
    behind_the_portal(
        *(f"DELETE FROM journal_entry WHERE tbl = '{table}'" for table in tables),
        *(f"DELETE FROM {table}" for table in tables),
    )
    assert "The journal is not as it was written" in refused(report)


def test_an_object_cannot_be_moved_to_another_model(report: Report, foreign_model: RegisteredModel) -> None:
    other = foreign_model.pk.hex if connection.vendor == "sqlite" else str(foreign_model.pk)
    behind_the_portal(f"UPDATE governance_changerequest SET model_id = '{other}'")
    assert "The journal is not as it was written" in refused(report)


def test_a_name_that_no_entry_holds_is_not_printed(report: Report) -> None:
    table = "stewardship_historicaluser"
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    named = ", ".join(f'"{name}"' for name in columns)
    copied = ", ".join({"history_id": "990099", "full_name": "'Mallory'"}.get(name, f'"{name}"') for name in columns)
    behind_the_portal(f"INSERT INTO {table} ({named}) SELECT {copied} FROM {table} WHERE username = 'bob'")
    assert "Mallory" not in build.html(report, collect(report.model, report.size))
    assert "The journal is not as it was written" in refused(report)


def test_files_that_do_not_prove_themselves_are_not_sealed(report: Report) -> None:
    files = attach.files(report, collect(report.model, report.size))
    vouch.for_files(files)
    with pytest.raises(FileDiffers, match="digest"):
        vouch.for_files({**files, CHECKPOINT: files[CHECKPOINT] + b" "})


def exchanged(report: Report, content: bytes) -> Report:
    """The report with another stored file, by an honest row of the file store and one forged reference."""
    other = store(content, name="x.pdf", media_type="application/pdf", actor=system_user())
    column = other.pk.hex if connection.vendor == "sqlite" else str(other.pk)
    behind_the_portal(f"UPDATE governance_report SET blob_id = '{column}' WHERE status = 'ready'")
    return Report.objects.get(pk=report.pk)


def test_a_bundle_is_signed_only_for_what_was_sealed(report: Report) -> None:
    done = ready(report)
    files = vouch.for_file_of(done)
    forged = {**files, MANIFEST: files[MANIFEST].replace(b'"rows": ', b'"rows": 1')}
    attached = [pdf.Attached(name, data, "forged") for name, data in forged.items()]
    with pytest.raises(FileDiffers, match="no seal"):
        bundle.of(exchanged(done, pdf.render("<p>The same words</p>", title="x", identifier="x", created=MADE, attachments=attached)))


def test_a_bundle_is_not_signed_for_the_seal_of_another(report: Report, settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = ready(report)
    made = build.make(done)
    ours = settings.KEY_FOLDER
    settings.KEY_FOLDER = tmp_path_factory.mktemp("theirs")
    theirs = seal.seal(made.pdf)
    settings.KEY_FOLDER = ours
    with pytest.raises(FileDiffers, match="not one that this installation trusts"):
        bundle.of(exchanged(done, theirs))


def test_a_bundle_is_not_signed_for_another_report(report: Report, alice: User) -> None:
    first = ready(report)
    model: RegisteredModel = report.model
    second = ready(request(model=model, actor=alice))
    with pytest.raises(FileDiffers, match="another report"):
        bundle.of(exchanged(second, first.file().read()))
