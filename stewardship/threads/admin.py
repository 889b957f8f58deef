"""Discussions, read only: people write on the pages they talk about."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.portal.admin import GovernedAdmin
from config.portal.inlines import GovernedInline
from stewardship.threads.models import Comment, Thread
from stewardship.threads.rights import ThreadRight


class CommentInline(GovernedInline):
    """What was said; never changed."""

    model = Comment
    fields = readonly_fields = ("at", "author", "text")
    show_change_link = False

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any | None) -> bool:
        return False


@admin.register(Thread)
class ThreadAdmin(GovernedAdmin):
    """Where people talk."""

    rights = {"view": ThreadRight.VIEW}
    list_display = ("subject_kind", "subject_id", "region", "status")
    list_filter = ("status", "subject_kind")
    list_select_related = ("region",)
    inlines = (CommentInline,)
