"""What the policies said about one facts document; written once, with the facts it was said about."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from governance.policies.rights import EvaluationRight
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact, GovernedQuerySet
from stewardship.regions.models import Region


class Verdict(models.TextChoices):
    """Yes, no, or not known; the last is never a yes."""

    ALLOW = "allow", _("allowed")
    DENY = "deny", _("denied")
    UNDECIDED = "undecided", _("undecided")


class EvaluationQuerySet(GovernedQuerySet):
    """Evaluations by what they were about."""

    def about(self, subject_kind: str, subject_id: Any) -> EvaluationQuerySet:
        """Those of one subject, newest first."""
        return self.filter(subject_kind=subject_kind, subject_id=subject_id).order_by("-at", "-id")


class Evaluation(Fact):
    """One evaluation: subject, facts, the versions that were applied, findings with their trace, verdict."""

    subject_kind = models.CharField(_("subject"), max_length=40)
    subject_id = models.UUIDField(_("subject id"))
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="evaluations", verbose_name=_("model"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    facts = DocumentField(_("facts"))
    facts_digest = models.CharField(_("digest of the facts"), max_length=64)
    policies = DocumentField(_("policies applied"), default=list)
    findings = DocumentField(_("findings"))
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict)

    objects = models.Manager.from_queryset(EvaluationQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("region_id", "model__region_id"), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = EvaluationRight.VIEW
    journal_object: ClassVar[str] = "subject_id"

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        indexes = [
            models.Index(fields=["subject_kind", "subject_id", "-at"], name="policies_evaluation_subject"),
            models.Index(fields=["region", "-at"], name="policies_evaluation_region"),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.verdict}"
