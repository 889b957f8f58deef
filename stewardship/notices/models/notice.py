"""The intent to tell one person one thing over one channel."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.journal.record import Fact, GovernedQuerySet
from stewardship.notices.rights import NoticeRight


class Channel(models.TextChoices):
    """How a notice reaches its reader."""

    PORTAL = "portal", _("Portal")
    EMAIL = "email", _("E-mail")


class NoticeQuerySet(GovernedQuerySet):
    """Words for notices."""

    def of(self, user: object) -> Self:
        """What the portal shows this person."""
        return self.filter(recipient=user, channel=Channel.PORTAL)

    def unread(self) -> Self:
        """Not yet marked as read by the recipient."""
        return self.filter(channel=Channel.PORTAL, delivery__read_at__isnull=True)


class Notice(Fact):
    """Who was told what, about what, over which channel. Written once; whether it arrived is its Delivery."""

    cause_kind = models.CharField(_("about"), max_length=40)
    cause_id = models.UUIDField(_("about which"))
    step = models.CharField(_("step"), max_length=80)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices", verbose_name=_("recipient"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), blank=True)
    link = models.CharField(_("link"), max_length=500, blank=True)

    objects = models.Manager.from_queryset(NoticeQuerySet)()

    access_paths: ClassVar[Paths] = Paths(person=("recipient_id",))
    view_right: ClassVar[str] = NoticeRight.VIEW
    journal_object: ClassVar[str] = "cause_id"
    personal: ClassVar[frozenset[str]] = frozenset({"subject", "body"})

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["cause_kind", "cause_id", "step", "recipient", "channel"], name="one_notice_per_step_and_channel"
            ),
        ]
        indexes = [models.Index(fields=["recipient", "channel", "-at"], name="notice_recipient_newest")]

    def __str__(self) -> str:
        return self.subject
