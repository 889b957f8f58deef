"""A file by its content: stored once, journalled with its digest, never changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.documents.errors import BlobCorrupt
from stewardship.documents.rights import BlobRight
from stewardship.journal.record import Fact


class Blob(Fact):
    """Bytes with a digest. `name` and `media_type` are those of the first upload; who may read it, `owners` says."""

    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    size = models.PositiveBigIntegerField(_("bytes"))
    media_type = models.CharField(_("media type"), max_length=100)
    name = models.CharField(_("file name"), max_length=200)

    access_paths: ClassVar[Paths] = Paths(person=("actor_id",))
    view_right: ClassVar[str] = BlobRight.VIEW

    class Meta(Fact.Meta):
        abstract = False
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ("-at", "id")

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:8]})"

    @property
    def path(self) -> Path:
        """Where the bytes lie, below MEDIA_ROOT."""
        return Path(settings.MEDIA_ROOT) / self.sha256[:2] / self.sha256

    def read(self) -> bytes:
        """The bytes; raises BlobCorrupt when they are missing or no longer have the recorded digest."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise BlobCorrupt(
                gettext("The file %(file)s is not in the store: %(why)s.") % {"file": self, "why": error.strerror},
                remedy=gettext("Restore it from a backup."),
            ) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise BlobCorrupt(
                gettext("The file %(file)s was changed after it was recorded.") % {"file": self},
                remedy=gettext("Restore it from a backup."),
            )
        return data
