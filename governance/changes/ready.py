"""Whether a change can be put before people: what is missing in it, and what it asks for that cannot be."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from governance.changes.models import ChangeRequest, Kind
from governance.changes.rules import missing
from governance.policies.errors import NotWaivable
from governance.policies.waive import waivable
from stewardship.inventory.models import Deployment, Environment, ModelVersion
from stewardship.regions.models import Region


def hindrances(change: ChangeRequest, at: datetime) -> list[tuple[str, str]]:
    """(field, remedy) for all that stands between this change and its submission; empty when it can be submitted."""
    found = missing(change.content())
    named_already = {field for field, _remedy in found}
    if change.kind == Kind.ROLLBACK and not named_already & {"version", "environment"}:
        found += _never_ran(change)
    if change.kind == Kind.WAIVER:
        found += [each for each in _cannot_be_waived(change, at) if each[0] not in named_already]
    return found


def ran_there(version: ModelVersion, environment: Environment, region: Region) -> bool:
    """Whether the version was in use at this place before: a deployment of it there has ended."""
    return Deployment.objects.filter(version=version, environment=environment, region=region, ended_at__isnull=False).exists()


def _never_ran(change: ChangeRequest) -> list[tuple[str, str]]:
    assert change.version is not None
    assert change.environment is not None
    if ran_there(change.version, change.environment, change.region):
        return []
    # SECURITY: rollbacks go lighter ways than deployments; what was never there is no way back.
    return [
        (
            "version",
            _("Choose a version that ran in %(environment)s, %(region)s before; %(version)s did not, so ask for a deployment of it.")
            % {"environment": change.environment, "region": change.region, "version": change.version.label},
        )
    ]


# What the verb that grants it calls its fields, and what a change calls them.
_WAIVER_FIELDS = {"expires_at": "waiver_until", "rule": "waived_rule"}


def _cannot_be_waived(change: ChangeRequest, at: datetime) -> list[tuple[str, str]]:
    found = []
    until = change.waiver_until or at + timedelta(days=1)
    if until <= at:
        found.append(("waiver_until", _("Give a later end: this one is over already.")))
        until = at + timedelta(days=1)
    try:
        waivable(change.waived_rule, model=change.model, region=change.region, until=until, at=at)
    except NotWaivable as refusal:
        found.append((_WAIVER_FIELDS.get(refusal.field, refusal.field), f"{refusal.message} {refusal.remedy}".strip()))
    return found
