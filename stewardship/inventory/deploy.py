"""Recording what runs where. Concordat deploys nothing: it is told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.portal.errors import Conflict
from stewardship.access import require
from stewardship.inventory.errors import BadShare, NotLive
from stewardship.inventory.models import Deployment, Environment, ModelVersion
from stewardship.inventory.rights import DeploymentRight
from stewardship.journal.acting import acting, moment
from stewardship.regions.models import Region

if TYPE_CHECKING:
    from stewardship.people.models import User


def record(
    *,
    actor: User,
    version: ModelVersion,
    environment: Environment,
    region: Region,
    share: Decimal = Decimal(1),
    reason: str = "",
) -> Deployment:
    """The version runs there from now on; what ran there of the same model has ended. Told twice, it is one deployment."""
    require(actor, DeploymentRight.RECORD, version.model)
    if version.model.region_id not in region.way_up():
        # SECURITY: a right on a model reaches as far as its own region; further out the target's must be held too.
        require(actor, DeploymentRight.RECORD, region)
    if not Decimal(0) < share <= Decimal(1):
        raise BadShare(_("A share is more than 0 and at most 1."), field="share", remedy=_("Give 1 for all of the traffic."))
    with transaction.atomic(), acting(actor, reason or f"Deployed {version}"):
        place = {"model_id": version.model_id, "environment": environment, "region": region}
        before: Deployment | None = Deployment.objects.select_for_update().filter(ended_at__isnull=True, **place).first()
        if before is not None and before.version_id == version.pk and before.share == share:
            return before
        now = moment()
        if before is not None:
            before.ended_at = max(now, before.started_at)
            before.save(update_fields=["ended_at"])
        deployment = Deployment(version=version, started_at=now, share=share, **place)
        try:
            with transaction.atomic():
                deployment.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(
                _("Another deployment was recorded there at the same moment."), field="version", remedy=_("Look at what runs there now.")
            ) from error
    return deployment


def end(deployment: Deployment, *, actor: User, reason: str = "") -> None:
    """It runs there no longer; raises NotLive when it had ended already."""
    require(actor, DeploymentRight.RECORD, deployment.model)
    with transaction.atomic():
        deployment.refresh_from_db(from_queryset=Deployment.objects.select_for_update())
        if deployment.ended_at is not None:
            raise NotLive(_("This deployment has ended already."), field="ended_at", remedy=_("Nothing to do."))
        with acting(actor, reason or "Ended"):
            deployment.ended_at = max(moment(), deployment.started_at)
            deployment.save(update_fields=["ended_at"])
