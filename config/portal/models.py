"""Rows of the shell itself. None is governed: they are caches and signs of life."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """When a process was last alive, and what it has to say."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    at = models.DateTimeField(_("at"))
    detail = models.TextField(_("detail"), blank=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class IdempotentReply(models.Model):
    """The first answer to a POST with an Idempotency-Key; a repeat gets the same one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(_("key"), max_length=200)
    request_digest = models.CharField(_("request digest"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    media_type = models.CharField(_("media type"), max_length=100, blank=True)
    body = models.BinaryField(_("body"), default=bytes)
    created_at = models.DateTimeField(_("created at"), db_index=True)

    class Meta:
        verbose_name = _("idempotent reply")
        verbose_name_plural = _("idempotent replies")
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotent_reply_once")]

    def __str__(self) -> str:
        return self.key
