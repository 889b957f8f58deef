"""Signatures, read only."""

from __future__ import annotations

from django.contrib import admin

from config.portal.admin import GovernedAdmin
from stewardship.signing.models import Signature
from stewardship.signing.rights import SignatureRight


@admin.register(Signature)
class SignatureAdmin(GovernedAdmin):
    """Printed name, time and meaning, as every form of a signature shows them."""

    rights = {"view": SignatureRight.VIEW}
    list_display = ("printed_name", "meaning", "at", "method", "subject_kind", "digest")
    list_filter = ("meaning", "method")
    search_fields = ("printed_name", "digest")
    ordering = ("-at",)
    fields = ("signer", "printed_name", "meaning", "at", "authenticated_at", "method", "subject_kind", "subject_id", "digest")
