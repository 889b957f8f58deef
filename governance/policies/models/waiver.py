"""A time-boxed exception from one rule for one model in one part of the world, with what is done instead."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.portal.permission import Paths
from governance.policies import hooks
from governance.policies.rights import WaiverRight
from stewardship.access import require
from stewardship.inventory.models import RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.journal.record import GovernedQuerySet, Recorded
from stewardship.people.models import User
from stewardship.regions.models import Region


class WaiverQuerySet(GovernedQuerySet):
    """Waivers by the time in which they hold."""

    def in_force(self, at: datetime) -> Self:
        """Granted, not ended, not expired at this instant."""
        return self.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), granted_at__lte=at, expires_at__gt=at)

    def covering(self, model: RegisteredModel, target: Region) -> Self:
        """Those that excuse this model at a target of this region: granted for it or for a region above it."""
        return self.filter(model=model, region__in=target.way_up())


class Waiver(Recorded):
    """`rule` is the rule's name, policy/rule. It holds for targets in `region` and below, and always ends."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="waivers", verbose_name=_("model"))
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="waivers", verbose_name=_("region"))
    rule = models.CharField(_("rule"), max_length=130)
    reason = models.TextField(_("why"))
    compensating_control = models.TextField(_("what is done instead"))
    granted_at = models.DateTimeField(_("granted at"))
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    change_id = models.UUIDField(_("change"), null=True, blank=True)

    objects = models.Manager.from_queryset(WaiverQuerySet)()

    access_paths: ClassVar[Paths] = Paths(region=("model__region_id", "region_id"), family=("model__family_id",), model=("model_id",))
    view_right: ClassVar[str] = WaiverRight.VIEW

    class Meta:
        verbose_name = _("waiver")
        verbose_name_plural = _("waivers")
        ordering = ["expires_at"]
        indexes = [models.Index(fields=["model", "expires_at"], name="policies_waiver_model")]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("granted_at")),
                name="policies_waiver_expires_later",
                violation_error_message=_("A waiver ends after it was granted."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} · {self.model}"

    def end(self, *, actor: User, reason: str) -> None:
        """End it before its time; one that has ended stays as it is."""
        require(actor, WaiverRight.END, self.model)
        with transaction.atomic(), acting(actor, reason):
            self.refresh_from_db(from_queryset=Waiver.objects.select_for_update())
            if self.ended_at is None:
                self.ended_at = moment()
                self.save(update_fields=["ended_at"])
                hooks.changed(self.model.region, actor=actor)
