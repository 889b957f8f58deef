"""What left the house and what did not, for whoever supervises delivery; texts stay with their readers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.portal.admin import GovernedAdmin
from config.portal.permission import permits
from stewardship.notices.models import Delivery, Notice
from stewardship.notices.rights import NoticeRight


class OfTheWholeHouse(GovernedAdmin):
    """Read only, for those who hold the right for the whole organisation: neither a notice nor a delivery has a region."""

    abstract = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.all()
        return rows if permits(request.user, NoticeRight.VIEW, None) else rows.none()

    def _may(self, request: HttpRequest, verb: str, obj: Any | None) -> bool:
        return verb == "view" and permits(request.user, NoticeRight.VIEW, None)


@admin.register(Notice)
class NoticeAdmin(OfTheWholeHouse):
    """Who was told about what and when. What was said stays with its reader."""

    rights = {"view": NoticeRight.VIEW}
    list_display = ("at", "recipient", "channel", "cause_kind", "step")
    list_filter = ("channel", "cause_kind")
    list_select_related = ("recipient",)
    fields = ("at", "recipient", "channel", "cause_kind", "cause_id", "step")
    search_fields = ("recipient__username",)
    ordering = ("-at",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Under a name that does not tell the subject, which is the heading of its page."""
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            found.subject = str(found.cause_kind)
        return found


@admin.register(Delivery)
class DeliveryAdmin(OfTheWholeHouse):
    """What became of each e-mail."""

    rights = {"view": NoticeRight.VIEW}
    list_display = ("recipient", "status", "attempts", "due_at", "sent_at", "error")
    list_filter = ("status",)
    fields = ("status", "attempts", "due_at", "lease_until", "sent_at", "error")
    search_fields = ("notice__recipient__username",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).filter(notice__channel="email").select_related("notice__recipient").order_by("-due_at")

    @admin.display(description=_("recipient"))
    def recipient(self, delivery: Delivery) -> str:
        """Whom it is for."""
        return str(delivery.notice.recipient)
