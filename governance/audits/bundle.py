"""The attached files of a sealed report as one archive whose manifest the seal's key signs."""

from __future__ import annotations

import io
import zipfile

from governance.audits import signed, vouch
from governance.audits.models import Report
from governance.audits.offline import MANIFEST
from stewardship.documents import seal

EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip cannot name an earlier time; the true times are inside


def of(report: Report) -> bytes:
    """The bundle; raises NotReady without a sealed file, BlobCorrupt when that was changed and FileDiffers when it was exchanged.

    SECURITY: the signature is the seal's own key, so it is given only to what that key has sealed before.
    """
    files = vouch.for_file_of(report)
    files[signed.SIGNATURE] = signed.write(seal.sign_manifest(files[MANIFEST]), signed.der(seal.certificate()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
