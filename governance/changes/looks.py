"""When a person looked at a change last, so that the page can say what is new since."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, models

from governance.changes.models import ChangeRequest

if TYPE_CHECKING:
    from stewardship.people.models import User


class LastLook(models.Model):
    """When a person last opened a change and which revision they saw; a convenience, never evidence."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    revision = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(name="change_look_once", fields=["change", "user"])]

    @staticmethod
    def note(change: ChangeRequest, user: User, at: datetime, *, known: bool) -> None:
        """Remember this look in place of the one before; `known` says that the person has looked before. One statement."""
        # SECURITY: no governed content here, so the row needs neither history nor journal.
        if known and LastLook.objects.filter(change=change, user=user).update(at=at, revision=change.revision):
            return
        with suppress(IntegrityError):  # the same person opened it twice at once: that look is as good as this one
            LastLook(change=change, user=user, at=at, revision=change.revision).save(force_insert=True)
