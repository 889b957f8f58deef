"""One rule of a policy version: when it applies, what must be true, how much it weighs, and how to comply."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.permission import Paths
from governance.policies import vocabulary
from governance.policies.cel import ExpressionError
from governance.policies.errors import PolicyIsFixed
from governance.policies.models.policy import PolicyVersion
from governance.policies.rights import PolicyRight
from stewardship.frameworks.models import Clause
from stewardship.journal.record import Recorded
from stewardship.roles.models import Role


class Severity(models.TextChoices):
    """What a rule that is not met does."""

    BLOCK = "block", gettext_lazy("blocks")
    WARN = "warn", gettext_lazy("warns")
    INFO = "info", gettext_lazy("informs")


class Rule(Recorded):
    """A condition over the facts. Its key stays the same from version to version, so that an exception survives a new text."""

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="rules", verbose_name=gettext_lazy("policy version"))
    key = models.SlugField(gettext_lazy("key"), max_length=60)
    title = models.CharField(
        gettext_lazy("what it demands"),
        max_length=200,
        help_text=gettext_lazy("A sentence, for example: Recall is known to be above 0.85."),
    )
    applies_when = models.TextField(
        gettext_lazy("applies when"), blank=True, help_text=gettext_lazy("An expression; empty means always. Example: target.production")
    )
    expression = models.TextField(gettext_lazy("expression"), help_text=gettext_lazy("Example: evidence.metrics.recall.low >= 0.85"))
    severity = models.CharField(gettext_lazy("severity"), max_length=8, choices=Severity, default=Severity.BLOCK)
    rationale = models.TextField(gettext_lazy("why"), blank=True)
    remedy = models.TextField(gettext_lazy("how to comply"), blank=True)
    remedy_role = models.ForeignKey(
        Role, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("who can supply it")
    )
    clause = models.ForeignKey(
        Clause, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=gettext_lazy("clause it serves")
    )
    waivable = models.BooleanField(gettext_lazy("an exception may be granted"), default=True)
    order = models.PositiveIntegerField(gettext_lazy("order"), default=0)

    access_paths: ClassVar[Paths] = Paths(region=("version__policy__region_id",))
    view_right: ClassVar[str] = PolicyRight.VIEW

    class Meta:
        verbose_name = gettext_lazy("policy rule")
        verbose_name_plural = gettext_lazy("policy rules")
        ordering = ["order", "key"]
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="policies_rule_key")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name by which findings, waivers and changes refer to it: policy/rule."""
        return f"{self.version.policy.slug}/{self.key}"

    def clean(self) -> None:
        """Read both expressions; an error names the column and shows the place."""
        for field in ("applies_when", "expression"):
            text = getattr(self, field).strip()
            if not text and field == "applies_when":
                continue
            try:
                vocabulary.compile_known(text)
            except ExpressionError as error:
                raise ValidationError(
                    {field: [str(error), *([error.remedy] if error.remedy else []), format_html("<pre>{}</pre>", error.caret())]}
                ) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; raises ExpressionError for an expression that cannot be read and PolicyIsFixed once it was published."""
        self._refuse_when_fixed()
        for text in filter(None, (self.applies_when.strip(), self.expression.strip() or " ")):
            vocabulary.compile_known(text)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Drop a rule from a draft; raises PolicyIsFixed otherwise."""
        self._refuse_when_fixed()
        return super().delete(*args, **kwargs)

    def _refuse_when_fixed(self) -> None:
        # The stored row is asked: the version on this instance may be an old copy.
        if not PolicyVersion.objects.filter(pk=self.version_id, status="draft").exists():
            raise PolicyIsFixed(
                _("The rules of a published version do not change."),
                field="version",
                remedy=_("Draft the next version and change it there."),
            )
