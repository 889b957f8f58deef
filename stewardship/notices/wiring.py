"""What this slice puts into the registries; called once, in AppConfig.ready()."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.portal.permission import SIGNED_IN
from config.portal.registry import gauges, nav
from config.portal.tick import chore
from stewardship.access import rights
from stewardship.notices import tasks
from stewardship.notices.models import Delivery
from stewardship.notices.read import unread
from stewardship.notices.rights import NoticeRight


def wire() -> None:
    """Rights, the sidebar's count, the chore that delivers, and the gauge that shows when it cannot."""
    rights.register(NoticeRight)
    nav.register("Work", _("Notices"), "notice_list", SIGNED_IN, rows=unread, order=30, icon="notice")
    chore("notices by e-mail", aside=True)(tasks.deliver)
    gauges.register(
        "concordat_deliveries",
        "Notices on their way by e-mail, by state.",
        lambda: {(status,): float(Delivery.objects.filter(status=status).count()) for status in ("waiting", "sending", "dead")},
        labels=("state",),
    )


def notice_list(_subject: object) -> str:
    """For causes without a page of their own."""
    return reverse("notice_list")
