"""Evidence, only read: it is attached by people and pipelines, and never edited."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from governance.evidence.models import Artifact
from governance.evidence.rights import ArtifactRight


@admin.register(Artifact)
class ArtifactAdmin(GovernedAdmin):
    """Every artifact with what was read in it."""

    rights = {"view": ArtifactRight.VIEW}
    list_display = ("name", "kind", "version", "reader", "problem", "attached_at")
    list_select_related = ("version__model",)
    list_filter = ("kind",)
    search_fields = ("name", "version__model__name", "version__label")
