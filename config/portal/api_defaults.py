"""REST framework's defaults for this installation: who may, and pages by cursor.

Apart from `api.py` because REST framework loads these while it loads its own views, on which `api.py` stands.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import exceptions, pagination, permissions
from rest_framework.request import Request

from config.portal import keyset
from config.portal.errors import Forbidden, Invalid
from config.portal.permission import holds

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def require_scope(request: Request | HttpRequest) -> None:
    """Refuse a token whose scopes do not cover reading or writing; a session has no scopes and passes."""
    scopes = getattr(getattr(request, "auth", None), "scopes", None)
    wanted = "read" if request.method in SAFE else "write"
    if scopes is not None and wanted not in scopes:
        raise Forbidden(
            _("This token may not %(scope)s.") % {"scope": wanted},
            remedy=_("Issue a token with the scope “%(scope)s”.") % {"scope": wanted},
        )


class RightRequired(permissions.BasePermission):
    """The view says which right; whoever holds it nowhere is refused. Which rows is the queryset's business."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        require_scope(request)
        right = view.required_right() if hasattr(view, "required_right") else getattr(view, "right", "")
        if not right:
            return False
        if holds(request.user, right):
            return True
        # One's own rows need no grant: the queryset finds them.
        paths = getattr(getattr(view, "model", None), "access_paths", None)
        return bool(request.method in SAFE and paths is not None and paths.person)


class CursorPagination(pagination.CursorPagination):
    """Pages by cursor: `?cursor=`, `?page_size=` up to 200. A cursor that cannot be read is the client's error."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = ("-pk",)

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """The view's own `ordering`, with the primary key as the last word so that pages never overlap."""
        ordering = tuple(getattr(view, "ordering", None) or self.ordering)
        return ordering if ordering[-1].lstrip("-") == "pk" else (*ordering, "-pk")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """One page; the position in the cursor is tried on its field before the database is asked."""
        self._rows, self._first = queryset, self.get_ordering(request, queryset, view)[0].lstrip("-")
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Any:
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                keyset.read(str(cursor.position), self._rows, self._first)
        except (exceptions.NotFound, ValueError):
            raise Invalid(_("The cursor cannot be read."), field="cursor", remedy=_("Follow “next” from the first page.")) from None
        return cursor
