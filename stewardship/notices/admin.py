"""What left the house and what did not, for whoever supervises delivery; texts stay with their readers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from config.portal.admin import GovernedAdmin
from config.portal.permission import permits
from stewardship.notices.models import Delivery
from stewardship.notices.rights import NoticeRight


@admin.register(Delivery)
class DeliveryAdmin(GovernedAdmin):
    """Read only, for those who hold the right for the whole organisation: a delivery has no region."""

    rights = {"view": NoticeRight.VIEW}
    list_display = ("recipient", "status", "attempts", "due_at", "sent_at", "error")
    list_filter = ("status",)
    fields = ("status", "attempts", "due_at", "lease_until", "sent_at", "error")
    search_fields = ("notice__recipient__username",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = Delivery.objects.filter(notice__channel="email").select_related("notice__recipient").order_by("-due_at")
        return rows if permits(request.user, NoticeRight.VIEW, None) else rows.none()

    def _may(self, request: HttpRequest, verb: str, obj: Any | None) -> bool:
        return verb == "view" and permits(request.user, NoticeRight.VIEW, None)

    @admin.display(description="recipient")
    def recipient(self, delivery: Delivery) -> str:
        """Whom it is for."""
        return str(delivery.notice.recipient)
