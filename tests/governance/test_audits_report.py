"""Asking for a report, making it, and what it says."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from config.portal.errors import IllegalTransition, Unavailable
from governance.audits import attach, build, verify_cli
from governance.audits.errors import JournalNotReady, NotReady, RowDiffers
from governance.audits.models import Report, Status
from governance.audits.request import cancel, request
from governance.audits.rights import ReportRight
from governance.audits.rows import collect
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.documents import jobs, pdf
from stewardship.documents.models import Blob
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.journal.guards import drop_guards
from stewardship.notices.models import Notice
from stewardship.people.models import User, system_user
from stewardship.roles.assign import assign
from stewardship.roles.matrix import define_role
from tests.cast import Cast, make_version
from tests.governance.audit_case import ready, story


@pytest.fixture
def told(cast: Cast) -> RegisteredModel:
    return story(cast)


@pytest.fixture
def report(model: RegisteredModel, deployment: Deployment, alice: User) -> Report:
    return request(model=model, actor=alice)


def test_the_same_instant_and_size_give_the_same_bytes_whatever_happens_later(told: RegisteredModel, cast: Cast, alice: User) -> None:
    report = request(model=told, actor=alice)
    first = build.make(report)
    make_version(told, "9.9.9")
    with acting(system_user(), "Renamed"):
        alice.full_name = "Alice Renamed"
        alice.save()
        cast.regions["de"].name = "Deutschland"
        cast.regions["de"].save()
    with translation.override("de"):
        again = build.make(Report.objects.get(pk=report.pk))
    assert again.files == first.files
    assert again.pdf == first.pdf


def test_it_says_who_answers_what_happened_and_who_signed_what(told: RegisteredModel, alice: User) -> None:
    report = request(model=told, actor=alice)
    context = build.context.build(report, collect(told, report.size), "f" * 64)
    html = build.html(report, collect(told, report.size))
    assert "Alice Adler answers for this model (model owner, Germany)." in html
    approved = next(change for change in context.changes if change.status == "Approved")
    assert [(one.printed_name, one.meaning, one.method) for one in approved.decisions] == [
        ("Bob Berger", "Approved", "Password"),
        ("Kate Klein", "Approved", "Password"),
    ]
    assert {one.digest for one in approved.decisions} == {approved.digest}
    assert "The interval is narrow enough." in html
    assert re.search(r"Signed \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", html)
    assert "evidence.metrics.recall.low &gt;= 0.85" in html
    assert "recall 0.95 (0.9–0.99, n 171)" in html
    assert context.alerts[0].outcome == "fixed"
    assert context.verdicts[0]["label"] == "allowed"
    assert [finding.weight for finding in context.findings] == ["watch", "watch"]


def test_what_people_wrote_cannot_become_markup(told: RegisteredModel, alice: User) -> None:
    report = request(model=told, actor=alice)
    html = build.html(report, collect(told, report.size))
    assert "<b>not bold</b>" not in html
    assert "&lt;b&gt;not bold&lt;/b&gt;" in html


def test_nothing_that_happened_after_the_pinned_size_is_in_it(report: Report, model: RegisteredModel) -> None:
    make_version(model, "2.0.0")
    rows = collect(model, report.size)
    assert [one.row.label for one in rows.latest("stewardship.ModelVersion")] == ["1.0.0"]


def test_a_job_makes_it_seals_it_and_tells_whoever_asked(report: Report, alice: User) -> None:
    done = ready(report)
    assert done.status == Status.READY
    assert done.blob is not None
    assert done.file().read().startswith(b"%PDF")
    assert done.rows == len(collect(done.model, done.size).all)
    assert Notice.objects.filter(cause_kind="audits.report", recipient=alice, channel="portal").count() == 1


def test_it_stays_good_when_a_worker_runs_it_a_second_time(report: Report) -> None:
    done = ready(report)
    job = done.job
    assert job is not None
    type(job).objects.filter(pk=job.pk).update(status="queued", lease_until=timezone.now() - timedelta(hours=1))
    assert jobs.requeue_stranded(timezone.now()) == 1
    again = ready(done)
    assert (again.status, again.blob_id) == (Status.READY, done.blob_id)
    assert Blob.objects.filter(media_type="application/pdf").count() == 1


@pytest.mark.parametrize("place", ["collect", "attach.files", "_pdf", "seal.seal", "store"])
def test_killed_on_any_line_it_is_made_once_by_the_next_worker(report: Report, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    class Killed(BaseException):
        """What no handler of ours catches, as after a kill -9."""

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"governance.audits.build.{place}", die)
        with pytest.raises(Killed):
            ready(report)
    job = Report.objects.get(pk=report.pk).job
    assert job is not None
    assert job.status == "running"
    later = timezone.now() + timedelta(minutes=10)
    assert jobs.requeue_stranded(later) == 1
    done = ready(report)
    assert done.status == Status.READY
    assert Blob.objects.filter(media_type="application/pdf").count() == 1


def test_a_cancelled_report_is_never_made(report: Report, alice: User) -> None:
    cancel(report, actor=alice)
    assert report.status == Status.CANCELLED
    assert ready(report).status == Status.CANCELLED
    with pytest.raises(jobs.JobEnded):
        cancel(report, actor=alice)


def test_one_cancelled_while_it_is_made_stops_at_the_next_step(report: Report, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    real = build.collect

    def slow(*args: Any) -> Any:
        cancel(Report.objects.get(pk=report.pk), actor=alice)
        return real(*args)

    monkeypatch.setattr(build, "collect", slow)
    assert ready(report).status == Status.CANCELLED
    assert not Blob.objects.filter(media_type="application/pdf").exists()


def test_a_row_changed_behind_the_portal_is_never_repeated(report: Report, version: ModelVersion, django_db_blocker: Any) -> None:
    from django.db import connection

    drop_guards("default")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stewardship_historicalmodelversion SET code_revision = 'forged'")
    failed = ready(report)
    assert failed.status == Status.FAILED
    assert "is not what entry" in failed.problem
    assert "journal verify" in failed.problem


def test_a_row_deleted_behind_the_portal_is_noticed(report: Report, version: ModelVersion) -> None:
    from django.db import connection

    drop_guards("default")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM stewardship_historicalmodelversion")
    with pytest.raises(RowDiffers):
        collect(report.model, report.size)


def test_without_pango_nobody_waits_for_a_report(model: RegisteredModel, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise Unavailable("PDFs cannot be made here.")

    monkeypatch.setattr(pdf, "available", missing)
    with pytest.raises(Unavailable):
        request(model=model, actor=alice)
    assert not Report.objects.exists()


def test_without_a_signed_checkpoint_there_is_no_report(model: RegisteredModel, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.audits.request.latest", lambda: None)
    with pytest.raises(JournalNotReady):
        request(model=model, actor=alice)


def test_a_checkpoint_that_vanished_is_said(report: Report) -> None:
    with pytest.raises(JournalNotReady):
        attach.checkpoint(report.size + 1)


def test_only_who_may_ask_gets_one(model: RegisteredModel, charlie: User, gita: User, foreign_model: RegisteredModel, alice: User) -> None:
    for person, about in ((charlie, model), (gita, model), (alice, foreign_model)):
        with pytest.raises(NotVisible):
            request(model=about, actor=person)


def test_no_status_is_skipped(report: Report, alice: User) -> None:
    with pytest.raises(NotReady):
        report.file()
    with pytest.raises(IllegalTransition):
        report.finish(actor=alice, blob=None, content_sha256="", manifest_sha256="", rows=0)  # type: ignore[arg-type]


# --- pages and API --------------------------------------------------------------------------------


@pytest.fixture
def browser(alice: User, client: Client) -> Client:
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_from_the_model_to_the_file(browser: Client, model: RegisteredModel, deployment: Deployment) -> None:
    assert "Make the report" in browser.get(f"/models/{model.pk}/report/").content.decode()
    answer = browser.post(f"/models/{model.pk}/report/")
    report = Report.objects.get()
    assert answer["Location"] == f"/reports/{report.pk}/"
    waiting = browser.get(answer["Location"]).content.decode()
    assert "is being made" in waiting
    assert "Waiting for a worker." in waiting
    assert browser.get(f"/reports/{report.pk}/file/").status_code == 409
    part = browser.get(answer["Location"], headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div id="report-progress"')
    ready(report)
    assert browser.get(answer["Location"], headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    page = browser.get(answer["Location"]).content.decode()
    assert "is ready" in page
    assert "./concordat verify" in page
    file = browser.get(f"/reports/{report.pk}/file/")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.content == Report.objects.get().file().read()
    bundle = browser.get(f"/reports/{report.pk}/bundle/")
    assert set(verify_cli.unpack(bundle.content)) > {"rows.jsonl", "manifest.sig"}
    assert model.name in browser.get("/reports/").content.decode()


def test_a_cancelled_and_a_failed_report_say_so(browser: Client, report: Report, alice: User) -> None:
    assert browser.get(f"/reports/{report.pk}/cancel/").status_code == 200
    browser.post(f"/reports/{report.pk}/cancel/")
    assert "was cancelled" in browser.get(f"/reports/{report.pk}/").content.decode()
    other = request(model=report.model, actor=alice)
    other.fail(actor=alice, problem="The disk is full.")
    page = browser.get(f"/reports/{other.pk}/").content.decode()
    assert "could not be made" in page
    assert "The disk is full." in page


def test_who_may_not_ask_for_a_report_is_not_offered_to(cast: Cast, report: Report, alice: User, client: Client) -> None:
    reads = define_role(actor=system_user(), slug="reader", name="reader", rights={ReportRight.VIEW: "I"})
    assign(actor=system_user(), role=reads, user=cast.users["charlie"], region=cast.regions["de"], rationale="Reads reports")
    cancel, again = f"/reports/{report.pk}/cancel/", f"/models/{report.model_id}/report/"
    for person, offered in ((cast.users["charlie"], False), (alice, True)):
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert (cancel in client.get(f"/reports/{report.pk}/").content.decode()) is offered
        assert client.get(cancel).status_code == (200 if offered else 404)
    report.fail(actor=alice, problem="The disk is full.")
    assert again in client.get(f"/reports/{report.pk}/").content.decode()
    client.force_login(cast.users["charlie"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert again not in client.get(f"/reports/{report.pk}/").content.decode()


def test_what_a_person_may_not_see_is_not_there(report: Report, gita: User, client: Client) -> None:
    client.force_login(gita, backend="allauth.account.auth_backends.AuthenticationBackend")
    done = ready(report)
    for path in ("", "file/", "bundle/", "cancel/"):
        assert client.get(f"/reports/{report.pk}/{path}").status_code == 404
    assert client.get(f"/files/{done.blob_id}/").status_code == 404
    assert client.get(f"/models/{report.model_id}/report/").status_code == 404
    assert report.model.name not in client.get("/reports/").content.decode()
    assert client.get("/api/v1/reports/").json()["results"] == []
    assert client.get(f"/api/v1/reports/{report.pk}/file/").status_code == 404


def test_the_file_of_a_report_is_read_by_whoever_sees_the_report(report: Report, browser: Client, dana: User, client: Client) -> None:
    done = ready(report)
    client.force_login(dana, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/files/{done.blob_id}/").status_code == 200


def test_over_the_api(browser: Client, model: RegisteredModel, deployment: Deployment) -> None:
    def post(body: Any) -> Any:
        return browser.post("/api/v1/reports/", json.dumps(body), content_type="application/json")

    made = post({"model": model.slug})
    assert made.status_code == 202
    one = f"/api/v1/reports/{made.json()['id']}/"
    assert browser.get(one).json()["status"] == "requested"
    assert browser.get(f"{one}file/").status_code == 409
    ready(Report.objects.get())
    assert browser.get(one).json()["percent"] == 100
    assert io.BytesIO(browser.get(f"{one}file/").content).read(5) == b"%PDF-"
    assert post({"model": "absent"}).json()["field"] == "model"
    assert post({"model": model.slug, "colour": "red"}).status_code == 400
    assert post([]).status_code == 400


def test_trust_is_what_a_verifier_needs(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    call_command("trust")
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"origin", "keys", "seal_certificates"}
    assert told["keys"]
    call_command("seal", "fingerprint")
    assert capsys.readouterr().out.strip() == told["seal_certificates"][0]
    call_command("seal", "certificate")
    assert "BEGIN CERTIFICATE" in capsys.readouterr().out


def test_forbidden_says_who_can(model: RegisteredModel, pipeline: User) -> None:
    with pytest.raises(Forbidden):
        request(model=model, actor=pipeline)
