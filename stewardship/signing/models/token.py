"""The one-use token: proof of a fresh check, bound to one person, session, subject, content and meaning."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Meaning(models.TextChoices):
    """What a signature says (21 CFR 11.50: review, approval, responsibility, authorship)."""

    APPROVE = "approve", _("Approved")
    RETURN = "return", _("Returned for changes")
    REJECT = "reject", _("Rejected")
    REVIEW = "review", _("Reviewed")
    ATTEST = "attest", _("Attested as responsible")
    AUTHOR = "author", _("Signed as author")


class Method(models.TextChoices):
    """How the person proved who they are."""

    PASSWORD = "password", _("Password")
    TOTP = "totp", _("Code from the authenticator app")


class SigningToken(models.Model):
    """Stored as a hash only; consumed by a guarded update in the transaction that writes the signature."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False)
    session_hash = models.CharField(max_length=64, editable=False)
    subject_kind = models.CharField(max_length=40, editable=False)
    subject_id = models.UUIDField(editable=False)
    digest = models.CharField(max_length=64, editable=False)
    meaning = models.CharField(max_length=10, choices=Meaning, editable=False)
    method = models.CharField(max_length=10, choices=Method, editable=False)
    authenticated_at = models.DateTimeField(editable=False)
    minted_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    consumed_at = models.DateTimeField(null=True, editable=False)

    objects: Any = models.Manager()

    class Meta:
        verbose_name = _("signing token")
        verbose_name_plural = _("signing tokens")
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("minted_at")), name="a_signing_token_expires_after_it_is_minted"),
            models.CheckConstraint(
                condition=Q(consumed_at__isnull=True) | (Q(consumed_at__gte=F("minted_at")) & Q(consumed_at__lte=F("expires_at"))),
                name="a_signing_token_is_consumed_while_it_lives",
            ),
            models.CheckConstraint(condition=~Q(session_hash=""), name="a_signing_token_belongs_to_a_session"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id} ({self.get_meaning_display()})"
