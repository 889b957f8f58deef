"""Reading the journal's own tables in the configuration screens; nobody writes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from config.portal.permission import reach
from stewardship.journal.models import Checkpoint, Entry, JournalEvent, Key
from stewardship.journal.rights import EntryRight

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(_ModelAdmin):
    """For those who audit from the root: the whole journal, and not a way to write it."""

    list_per_page = 25
    show_full_result_count = False
    actions = None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach(request.user, EntryRight.VIEW).everywhere

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("index", "tbl", "hid", "obj", "n")
    ordering = ("-index",)
    exclude = ("leaf_hash",)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = ("size", "root", "made_at")
    ordering = ("-size",)


@admin.register(Key)
class KeyAdmin(ReadOnlyAdmin):
    list_display = ("key_id", "from_size", "made_at")


@admin.register(JournalEvent)
class JournalEventAdmin(ReadOnlyAdmin):
    list_display = ("kind", "at", "actor_id")
    ordering = ("-at",)
    readonly_fields = ("at", "actor_id", "reason")
