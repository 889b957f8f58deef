"""The attached files of a sealed report as one archive whose manifest the seal's key signs."""

from __future__ import annotations

import io
import zipfile

from governance.audits import signed
from governance.audits.models import Report
from governance.audits.offline import MANIFEST
from stewardship.documents import seal
from stewardship.documents.verify import read_attachments

EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip cannot name an earlier time; the true times are inside


def of(report: Report) -> bytes:
    """The bundle; raises NotReady without a sealed file and BlobCorrupt when that was changed."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    files = read_attachments(PdfFileReader(io.BytesIO(report.file().read())))
    files[signed.SIGNATURE] = signed.write(seal.sign_manifest(files[MANIFEST]), signed.der(seal.certificate()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
