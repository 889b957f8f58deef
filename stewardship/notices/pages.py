"""What the portal told a person, and marking it as read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Chip
from config.portal.errors import Missing
from config.portal.pages import SIGNED_IN, ListPage, Page
from config.portal.tables import Column, Filter, Table
from stewardship.notices.models import Notice
from stewardship.notices.read import mark_read, unread_count


def _state(notice: Notice) -> Chip:
    return Chip(_("Read"), "neutral") if notice.delivery.read_at else Chip(_("New"), "info", icon="notice")


def _unread(rows: Any, value: str) -> Any:
    return rows.unread()


class NoticeTable(Table):
    """A person's notices, the newest first."""

    caption = _("Notices")
    columns = (
        Column("subject", _("Notice"), link=lambda notice: reverse("notice_open", args=[notice.pk]), wide=True),
        Column("state", _("Status"), value=_state),
        Column("at", _("When"), order="at"),
    )
    filters = (Filter("state", _("Status"), choices=[("unread", _("New"))], apply=_unread),)
    search = ("subject__icontains", "body__icontains")
    ordering = ("-at",)
    empty = _("Nothing yet. What concerns you appears here and comes by e-mail.")


class NoticeList(ListPage):
    """Only one's own; nobody reads another person's notices here."""

    right = SIGNED_IN
    table = NoticeTable
    template_name = "stewardship/notices/notice_list.html"

    def get_title(self) -> str:
        unread = unread_count(self.request.user)  # type: ignore[arg-type]  # signed in, says dispatch()
        return ngettext("%(n)d new notice", "%(n)d new notices", unread) % {"n": unread} if unread else str(_("No new notices"))

    def get_queryset(self) -> Any:
        return Notice.objects.of(self.request.user).select_related("delivery")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mark everything as read."""
        mark_read(request.user)  # type: ignore[arg-type]  # signed in, says dispatch()
        return HttpResponseRedirect(reverse("notice_list"))


class NoticeOpen(Page):
    """Go to what the notice is about; it is read now. Following a link may do this: it changes nothing but the reader's own list."""

    right = SIGNED_IN
    template_name = "stewardship/notices/notice_list.html"

    def get(self, request: HttpRequest, *args: Any, pk: UUID, **kwargs: Any) -> HttpResponse:
        notice = Notice.objects.of(request.user).filter(pk=pk).first()
        if notice is None:
            raise Missing(gettext("There is no such notice for you."), remedy=gettext("Look at your notices."))
        mark_read(request.user, [notice.pk])  # type: ignore[arg-type]  # signed in, says dispatch()
        return HttpResponseRedirect(notice.link or reverse("notice_list"))
