"""Files and jobs, to look at."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from stewardship.documents.models import Blob, Job
from stewardship.documents.rights import BlobRight, JobRight


@admin.register(Blob)
class BlobAdmin(GovernedAdmin):
    rights = {"view": BlobRight.VIEW}
    list_display = ("name", "media_type", "size", "sha256", "at")
    list_filter = ("media_type",)
    search_fields = ("name", "sha256")


@admin.register(Job)
class JobAdmin(GovernedAdmin):
    rights = {"view": JobRight.VIEW}
    list_display = ("kind", "status", "done", "total", "requested_by", "created_at", "finished_at")
    list_select_related = ("requested_by",)
    list_filter = ("kind", "status")
