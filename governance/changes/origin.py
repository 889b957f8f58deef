"""A model misbehaves in production: the way back is drafted at once, so that a person only has to check and submit it."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext as _

from governance.changes.draft import draft
from governance.changes.models import ChangeRequest, Kind
from monitoring.alerts.models import Alert
from monitoring.thresholds.models import LevelChoice
from stewardship.inventory.models import Deployment
from stewardship.journal.acting import acting, moment
from stewardship.notices.send import send
from stewardship.people.models import User, system_user
from stewardship.regions import tree
from stewardship.regions.models import Region


def on_alert(alert: Alert, *, actor: User) -> ChangeRequest | None:
    """Draft the rollback that an act-level alert calls for.

    None when nothing is live that serves its region, nothing was live before, or an open rollback of this deployment
    exists already.
    """
    if alert.level != LevelChoice.ACT:
        return None
    live = _live(alert)
    before = _before(live) if live is not None else None
    if live is None or before is None or _open(live):
        return None
    system = system_user()
    with acting(system, _("Drafted because of %(alert)s") % {"alert": alert}):
        change = draft(
            actor=system,
            kind=Kind.ROLLBACK,
            model=alert.model,
            version=before.version,
            environment=live.environment,
            region=live.region,
            origin_kind="alert",
            origin_reference=str(alert.pk),
            rationale=_why(alert, live, before),
            rollout_plan=_("Put %(old)s back for all traffic, then watch the series that raised the alert.")
            % {"old": before.version.label},
            rollback={
                "target_version": live.version,
                "trigger": _("%(old)s does worse on the same series") % {"old": before.version.label},
                "steps": _("Deploy %(new)s again with the permit of its own approval.") % {"new": live.version.label},
            },
        )
        _tell(change, alert)
    return change


def _tell(change: ChangeRequest, alert: Alert) -> None:
    """A draft that nobody knows of is no help: its owner hears of it, and finds it in the inbox and on the alert's page."""
    send(
        cause_kind="change",
        cause_id=change.pk,
        step="drafted",
        recipients=[change.owner],
        subject=_("%(change)s is drafted for you: check and submit it") % {"change": change},
        body=f"{alert}\n\n{change.rationale}",
        link=change.get_absolute_url(),
    )


def _why(alert: Alert, live: Deployment, before: Deployment) -> str:
    until = before.ended_at.date().isoformat() if before.ended_at else ""
    names = {"alert": alert, "old": before.version.label, "new": live.version.label, "date": until}
    return _("%(alert)s. %(old)s was live until %(date)s, before %(new)s took its place.") % names


def _live(alert: Alert) -> Deployment | None:
    """The deployment the alert is about: the nearest that serves its region, or the only one below it. Production first."""
    found = Deployment.objects.live(moment()).filter(model=alert.model_id).select_related("version", "environment", "region")
    if alert.version_id is not None:
        found = found.filter(version=alert.version_id)
    if alert.environment_id is not None:
        found = found.filter(environment=alert.environment_id)
    parents = Region.objects.parents()
    upwards = tree.above(parents, alert.region_id)
    serving: list[Deployment] = list(found.filter(region__in=upwards))
    serving.sort(key=lambda each: (not each.environment.production, upwards.index(each.region_id)))
    if serving:
        return serving[0]
    # One of several below would be a guess, and what runs beside it is nobody's way back.
    below: list[Deployment] = list(found.filter(region__in=tree.below(parents, [alert.region_id])))
    below = [each for each in below if each.environment.production] or below
    return below[0] if len(below) == 1 else None


def _before(live: Deployment) -> Deployment | None:
    """What ran at the same place before this version first came there; what was left by going back is no way back."""
    place = Deployment.objects.filter(model=live.model_id, environment=live.environment_id, region=live.region_id)
    ran = place.filter(started_at__lte=live.started_at).order_by("started_at", F("ended_at").asc(nulls_last=True))
    standing: list[Deployment] = []
    for each in ran.select_related("version"):
        versions = [earlier.version_id for earlier in standing]
        if each.version_id in versions:
            del standing[versions.index(each.version_id) :]
        standing.append(each)
    return standing[-2] if len(standing) > 1 else None


def _open(live: Deployment) -> bool:
    return (
        ChangeRequest.objects.open()
        .filter(kind=Kind.ROLLBACK, model=live.model_id, environment=live.environment_id, region=live.region_id)
        .exists()
    )
