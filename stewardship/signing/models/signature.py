"""A signature: who signed exactly what, when, and what they meant by it."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from stewardship.journal.record import Demand, Fact, GovernedQuerySet
from stewardship.signing.errors import TokenRefused
from stewardship.signing.models.token import Meaning, Method, SigningToken
from stewardship.signing.rights import SignatureRight

SHA256_HEX = RegexValidator(r"\A[0-9a-f]{64}\Z", _("A digest is 64 lower-case hexadecimal characters."))


class SignatureQuerySet(GovernedQuerySet):
    """Words for signatures."""

    def about(self, kind: str, subject_id: UUID) -> Self:
        """All signatures under one subject, oldest first."""
        return self.filter(subject_kind=kind, subject_id=subject_id).order_by("at", "id")


class Signature(Fact):
    """Never changed, never moved to another record: it names the digest of what the signer was shown.

    It exists only with a consumed token, one to one; `at` is when it was executed.
    """

    signer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="signatures", verbose_name=_("signer"))
    printed_name = models.CharField(_("printed name"), max_length=200)
    meaning = models.CharField(_("meaning"), max_length=10, choices=Meaning)
    digest = models.CharField(_("digest of what was signed"), max_length=64, validators=[SHA256_HEX])
    method = models.CharField(_("proved by"), max_length=10, choices=Method)
    authenticated_at = models.DateTimeField(_("proved at"))
    subject_kind = models.CharField(_("kind of subject"), max_length=40)
    subject_id = models.UUIDField(_("subject"), db_index=True)
    token = models.OneToOneField(SigningToken, on_delete=models.PROTECT, related_name="signature", editable=False)

    objects = models.Manager.from_queryset(SignatureQuerySet)()

    # A signature is shown with what it signs, under that object's rights. By itself it is seen by its signer and by
    # whoever holds the right for the whole organisation.
    access_paths: ClassVar[Paths] = Paths(person=("signer_id",))
    view_right: ClassVar[str] = SignatureRight.VIEW
    journal_object: ClassVar[str] = "subject_id"
    personal: ClassVar[frozenset[str]] = frozenset({"printed_name"})
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            "token",
            "a signature needs a consumed token that was made for exactly this",
            "EXISTS (SELECT 1 FROM stewardship_signingtoken t WHERE t.id = NEW.token_id AND t.consumed_at IS NOT NULL "
            "AND t.user_id = NEW.signer_id AND t.subject_kind = NEW.subject_kind AND t.subject_id = NEW.subject_id "
            "AND t.digest = NEW.digest AND t.meaning = NEW.meaning AND t.method = NEW.method "
            "AND t.authenticated_at = NEW.authenticated_at)",
        ),
    )

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        constraints = [
            models.CheckConstraint(condition=~Q(printed_name="") & ~Q(digest=""), name="a_signature_names_signer_and_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.printed_name}, {self.get_meaning_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; raises TokenRefused unless its token is consumed and was made for exactly this. The guards demand the same."""
        if self._state.adding and not self._fits_its_token():
            raise TokenRefused(
                gettext("This signature does not fit a consumed signing token."),
                field="token",
                remedy=gettext("Read what is shown now and confirm with your password or code again."),
            )
        super().save(*args, **kwargs)

    def _fits_its_token(self) -> bool:
        bound = ("subject_kind", "subject_id", "digest", "meaning", "method", "authenticated_at")
        values = {name: getattr(self, name) for name in bound}
        found: bool = SigningToken.objects.filter(pk=self.token_id, user_id=self.signer_id, consumed_at__isnull=False, **values).exists()
        return found
