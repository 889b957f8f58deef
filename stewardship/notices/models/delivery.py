"""What became of a notice. Attempts are not governed facts, so these rows are plain and never journalled."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stewardship.notices.models.notice import Notice


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Words for deliveries."""

    def due(self, at: datetime) -> Self:
        """Waiting and due, or claimed by a process whose lease ran out (it was killed while sending)."""
        return self.filter(
            Q(status=Delivery.Status.WAITING, due_at__lte=at) | Q(status=Delivery.Status.SENDING, lease_until__lt=at),
        )


class Delivery(models.Model):
    """One notice on its way: claimed by a guarded change of state, tried again with growing pauses, dead in the end."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("No longer needed")
        DEAD = "dead", _("Given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="delivery", verbose_name=_("notice"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"))
    lease_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    error = models.TextField(_("last error"), blank=True)

    objects: Any = models.Manager.from_queryset(DeliveryQuerySet)()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(fields=["due_at"], name="delivery_waiting", condition=Q(status="waiting")),
            models.Index(fields=["lease_until"], name="delivery_sending", condition=Q(status="sending")),
            models.Index(fields=["notice"], name="delivery_unread", condition=Q(read_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(status="sending") | Q(lease_until__isnull=False), name="a_delivery_being_sent_has_a_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} ({self.get_status_display()})"
