"""Standing is a derived answer kept ready; Verdict is what was answered to whom; Permit is the signed yes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths, Restricted
from governance.changes.models import ChangeRequest
from governance.gate import keys
from governance.gate.rights import StandingRight, VerdictRight
from governance.policies.models import Verdict as Answer
from stewardship.inventory.models import Environment, ModelVersion
from stewardship.journal.canonical import dump
from stewardship.journal.fields import DocumentField
from stewardship.journal.record import Fact
from stewardship.regions.models import Region

OF_VERSION = Paths(region=("version__model__region_id", "region_id"), family=("version__model__family_id",), model=("version__model_id",))


class Permit(Fact):
    """A signed yes for one version at one place, until a certain time."""

    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="permits", verbose_name=_("change"))
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="permits", verbose_name=_("version"))
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+", verbose_name=_("environment"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    token = models.TextField(_("permit"))
    expires_at = models.DateTimeField(_("expires"))

    access_paths: ClassVar[Paths] = OF_VERSION
    journal_object: ClassVar[str] = "version_id"
    view_right: ClassVar[str] = VerdictRight.VIEW

    class Meta:
        verbose_name = _("permit")
        verbose_name_plural = _("permits")
        indexes = [models.Index(fields=["version", "environment", "region", "-expires_at"], name="permit_target")]

    def __str__(self) -> str:
        return f"{self.version} · {self.environment} · {self.region}"


class Standing(models.Model):
    """What the gate would say about a version at a place, kept so that one read answers. Derived: it can be thrown away.

    `marks` is what the facts looked like when it was made; another look of them makes it stale. `mac` binds all of it
    to a secret outside the database, so that nobody makes a yes with an UPDATE.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="standings", verbose_name=_("version"))
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+", verbose_name=_("environment"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    verdict = models.CharField(_("verdict"), max_length=12, choices=Answer)
    document = DocumentField(_("answer"))
    marks = models.TextField(_("look of the facts"))
    computed_at = models.DateTimeField(_("computed"))
    valid_until = models.DateTimeField(_("valid until"), db_index=True)
    mac = models.CharField(max_length=64)

    objects = models.Manager.from_queryset(Restricted)()
    access_paths: ClassVar[Paths] = OF_VERSION
    view_right: ClassVar[str] = StandingRight.VIEW

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [models.UniqueConstraint(name="standing_once", fields=["version", "environment", "region"])]

    def __str__(self) -> str:
        return f"{self.version} · {self.environment} · {self.region}: {self.verdict}"


def seal_of(target: tuple[Any, Any, Any], verdict: str, document: Any, marks: str, valid_until: datetime) -> str:
    """The MAC over everything a standing says."""
    return keys.mac(sealed(target, verdict, document, marks, valid_until))


def sealed(target: tuple[Any, Any, Any], verdict: str, document: Any, marks: str, valid_until: datetime) -> bytes:
    """What the MAC covers, byte for byte."""
    return dump([[str(part) for part in target], str(verdict), document, marks, int(valid_until.timestamp() * 1_000_000)])


class Verdict(Fact):
    """One answer of the gate: who asked what, and what was said; written once."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="verdicts", verbose_name=_("version"))
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+", verbose_name=_("environment"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+", verbose_name=_("region"))
    verdict = models.CharField(_("verdict"), max_length=12, choices=Answer)
    reasons = DocumentField(_("reasons"), default=list)
    alternatives = DocumentField(_("alternatives"), default=list)
    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="verdicts", verbose_name=_("change"), null=True)
    permit = models.ForeignKey(Permit, on_delete=models.PROTECT, related_name="verdicts", verbose_name=_("permit"), null=True)

    access_paths: ClassVar[Paths] = OF_VERSION
    journal_object: ClassVar[str] = "version_id"
    view_right: ClassVar[str] = VerdictRight.VIEW

    class Meta:
        verbose_name = _("verdict of the gate")
        verbose_name_plural = _("verdicts of the gate")
        indexes = [models.Index(fields=["version", "-at"], name="verdict_version")]

    def __str__(self) -> str:
        return f"{self.version} · {self.environment} · {self.region}: {self.verdict}"
