"""How often a person's credential was tried and failed; kept apart from log-in so that one cannot unlock the other."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Attempts(models.Model):
    """One row a person. `last_counter` is the newest TOTP time step accepted: an older or equal one is a replay."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    failures = models.PositiveSmallIntegerField(_("failures"), default=0)
    since = models.DateTimeField(_("first failure"), null=True, blank=True)
    locked_until = models.DateTimeField(_("locked until"), null=True, blank=True)
    last_counter = models.BigIntegerField(default=0, editable=False)

    objects: Any = models.Manager()

    class Meta:
        verbose_name = _("signing attempts")
        verbose_name_plural = _("signing attempts")

    def __str__(self) -> str:
        return f"{self.user}: {self.failures}"
