"""Before the portal puts its seal or signature under anything: does it hold where an auditor will check it?

Trust is this installation's own, as it is given to auditors. Undecided is not yes for a file; for the walk over the
whole journal it is no refusal: a mirror that is not there yet, or a column that has gone, accuses nobody.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from django.utils.translation import gettext as _

from governance.audits import trust
from governance.audits.errors import FileDiffers, JournalDiffers
from governance.audits.models import Report
from governance.audits.offline import MANIFEST, document, verify_files
from governance.audits.verify_cli import verify
from stewardship.documents.verify import Outcome, Trust, Verdict
from stewardship.journal.findings import TAMPERED
from stewardship.journal.verify import verify_database

log = logging.getLogger(__name__)


def for_journal() -> None:
    """Follow every entry from its live row to the signed checkpoint and the mirror; raises JournalDiffers.

    A report shows that its own rows are whole; that no object was taken out of the journal altogether, only this shows.
    It reads the whole journal (more than 10,000 rows a second), so it belongs in a background job.
    """
    found = verify_database()
    for text in found.undecided:
        log.warning("The journal cannot be judged in one respect: %s", text)
    if found.code == TAMPERED:
        raise JournalDiffers(
            _("The journal is not as it was written, so nothing is sealed over it: %(problem)s") % {"problem": found.problems[0]},
            remedy=_("Run “manage.py journal verify”; it names every row."),
        )


def for_files(made: Mapping[str, bytes]) -> None:
    """Check the rows, their proof and the checkpoint as `concordat verify` does; raises FileDiffers."""
    outcome = Outcome()
    verify_files(made, _own(), outcome)
    _insist(outcome)


def for_file_of(report: Report) -> dict[str, bytes]:
    """The attachments of the sealed file of this report; raises FileDiffers unless this seal made it, about this report."""
    outcome = verify(report.file().read(), _own())
    _insist(outcome)
    files = outcome.attachments
    if document(files[MANIFEST], MANIFEST).get("report") != str(report.pk):
        raise FileDiffers(_("The stored file is that of another report."), remedy=_("Restore it from a backup, or request a new report."))
    return files


def _own() -> Trust:
    return Trust.read(json.dumps(trust.document()), "this installation")


def _insist(outcome: Outcome) -> None:
    if outcome.verdict != Verdict.GOOD:
        why = next((one.text for one in outcome.bad()), "")
        raise FileDiffers(
            _("This would not pass where an auditor checks it: %(why)s") % {"why": why},
            remedy=_("Run “manage.py journal verify”, then request a new report."),
        )
