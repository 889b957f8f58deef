"""Make a report: rows, context, pages, seal. May be killed on any line and run again; only the last transaction keeps anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from governance.audits import attach, vouch
from governance.audits.models import Report, Status
from governance.audits.offline import CHECKPOINT, MANIFEST, OPENINGS, PROOF, ROWS
from governance.audits.report import context
from governance.audits.rows import Rows, collect
from stewardship.documents import pdf, seal
from stewardship.documents.blobs import store
from stewardship.documents.models import Blob, Job
from stewardship.notices.send import send

TEMPLATE = "governance/audits/model_report.html"
STEPS = 6
DESCRIPTIONS = {
    attach.README: "How to check this report without the portal",
    ROWS: "Every journal entry of the model and of what belongs to it",
    OPENINGS: "Longer texts and reasons that rows commit to",
    PROOF: "Hashes that lead from the rows to the checkpoint",
    CHECKPOINT: "Signed checkpoint of the journal",
    MANIFEST: "Every object, every file",
}


@dataclass(frozen=True)
class Made:
    """A report before its seal."""

    pdf: bytes
    files: dict[str, bytes]
    rows: int


def make(report: Report) -> Made:
    """The unsealed PDF. The same report gives the same bytes, today or in ten years, as long as its rows are what they were."""
    rows = collect(report.model, report.size)
    files = attach.files(report, rows)
    return Made(_pdf(report, rows, files), files, len(rows.all))


def html(report: Report, rows: Rows) -> str:
    """The pages as HTML, in English and UTC whatever the worker's own settings are."""
    with translation.override("en"), timezone.override("UTC"):
        return render_to_string(TEMPLATE, {"report": context.build(report, rows, seal.fingerprint())})


def _pdf(report: Report, rows: Rows, files: dict[str, bytes]) -> bytes:
    return pdf.render(
        html(report, rows),
        title=f"Audit report {report.model.slug}",
        identifier=f"{settings.JOURNAL_ORIGIN} {report.model_id} {report.as_of.isoformat()} {report.size}",
        created=report.as_of,
        attachments=[pdf.Attached(name, data, DESCRIPTIONS[name]) for name, data in files.items()],
    )


def work(job: Job) -> Blob:
    """The job: the sealed file of the report that `job.arguments` names."""
    report = Report.objects.select_related("model", "requested_by").get(pk=job.arguments["report"])
    if report.status == Status.READY:
        kept: Blob = report.file()
        return kept  # killed after the report was kept and before the job was ended
    actor = report.requested_by
    report.begin(actor=actor)
    job.progress(1, STEPS, _("Collecting the rows"))
    rows = collect(report.model, report.size)
    job.progress(2, STEPS, _("Proving %(count)d rows") % {"count": len(rows.all)})
    files = attach.files(report, rows)
    vouch.for_files(files)
    job.progress(3, STEPS, _("Setting the pages"))
    content = _pdf(report, rows, files)
    job.progress(4, STEPS, _("Following all %(count)d entries of the journal") % {"count": report.size})
    vouch.for_journal()  # last: what was changed while the pages were set is found too
    job.progress(5, STEPS, _("Sealing"))
    sealed = seal.seal(content)
    with transaction.atomic():
        job.confirm()
        blob: Blob = store(sealed, name=report.file_name, media_type="application/pdf", actor=actor)
        report.finish(
            actor=actor,
            blob=blob,
            content_sha256=hashlib.sha256(content).hexdigest(),
            manifest_sha256=hashlib.sha256(files[MANIFEST]).hexdigest(),
            rows=len(rows.all),
        )
        _tell(report)
    return blob


def ended_badly(job: Job) -> None:
    """The job failed or was cancelled: so has the report."""
    report = Report.objects.filter(job=job).select_related("requested_by").first()
    if report is None or not report.is_open:
        return
    if job.status == "cancelled":
        report.drop(actor=report.requested_by)
    else:
        report.fail(actor=report.requested_by, problem=job.message)


def _tell(report: Report) -> None:
    """A notice to whoever asked."""
    send(
        cause_kind="audits.report",
        cause_id=report.pk,
        step="ready",
        recipients=[report.requested_by],
        subject=_("The audit report on %(model)s is ready") % {"model": report.model},
        body=_("%(rows)d journal rows are attached and proven. Verify it before you hand it over.") % {"rows": report.rows},
        link=report.get_absolute_url(),
    )
