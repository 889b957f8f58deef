"""Carry out what was approved: the gate says yes, the deployment is recorded, the change is done, the model and its dossier move on."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from governance.changes.models import ChangeRequest, Status
from governance.changes.provision import hold_dossier, write_down
from governance.gate import keys, permits, standing
from governance.gate.errors import NotAllowed, PermitRefused
from governance.gate.judge import Place
from governance.policies.rules import ALLOW
from stewardship.access import require
from stewardship.inventory import deploy
from stewardship.inventory.models import TRANSITIONS, Deployment, Environment, ModelVersion, RegisteredModel, Stage
from stewardship.inventory.rights import DeploymentRight
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region

LIVING = (Stage.CONCEPT, Stage.DEVELOPMENT, Stage.VALIDATION, Stage.APPROVAL, Stage.DEPLOYMENT, Stage.MONITORING)


def record_deployment(
    *, actor: User, version: ModelVersion, environment: Environment, region: Region, permit: str = "", share: Decimal = Decimal(1)
) -> Deployment:
    """The version runs there from now on. `permit` is what the gate gave; without it the gate is asked here.

    Raises PermitRefused when the permit is for something else, NotAllowed with the reasons when the gate does not say yes.
    """
    require(actor, DeploymentRight.RECORD, version.model)
    place = Place(version, environment, region)
    with transaction.atomic(), acting(actor, _("Deployed %(version)s") % {"version": version.label}):
        hold_dossier(version.model)
        if permit:
            _refuse_foreign(permit, version, environment, region)
        # A permit proves what was so when it was issued; what is so now decides.
        kept = standing.rebuild(place, issue=False)
        if kept.verdict != ALLOW:
            reasons = kept.document["reasons"]
            raise NotAllowed(
                _("The gate does not allow this: %(reasons)s") % {"reasons": " ".join(each["text"] for each in reasons)},
                field="version",
                remedy=" ".join(dict.fromkeys(each["remedy"] for each in reasons if each["remedy"])),
            )
        deployment = deploy.record(actor=actor, version=version, environment=environment, region=region, share=share)
        change = ChangeRequest.objects.get(pk=kept.document["change"])
        if change.status == Status.APPROVED:
            change.move(
                Status.IMPLEMENTED,
                actor=actor,
                reason=_("Deployed to %(environment)s, %(region)s") % {"environment": environment, "region": region},
                implemented_at=moment(),
                expires_at=None,
            )
        because = _("%(reference)s was carried out") % {"reference": change.reference}
        if environment.production and not kept.document["practice"]:
            bring_to_use(version.model, reason=because)
        write_down(version.model, because=because)
        standing.rebuild(place, issue=False)  # what it rested on has changed by all this
    return deployment


def _refuse_foreign(permit: str, version: ModelVersion, environment: Environment, region: Region) -> None:
    claims = permits.verify(permit, keys.public_key(), at=moment())
    wanted = {"digest": version.digest, "environment": environment.slug, "region": region.code}
    for name, value in wanted.items():
        if claims.get(name) != value:
            raise PermitRefused(
                _("This permit is for another %(name)s: %(found)s.") % {"name": name, "found": claims.get(name)},
                field="permit",
                remedy=_("Ask the gate for this version and place."),
            )


def bring_to_use(model: RegisteredModel, *, reason: str) -> None:
    """Walk the model step by step to the stage of models in use; each step is recorded."""
    model.refresh_from_db()
    stage = Stage(model.stage)
    while stage in LIVING and stage != Stage.MONITORING:
        following = LIVING[LIVING.index(stage) + 1]
        if following not in TRANSITIONS[stage]:
            return
        model.move_to(following, actor=system_user(), reason=reason)
        stage = following
