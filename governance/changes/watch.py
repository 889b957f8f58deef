"""What was agreed to make us go back is watched from the deployment on: each criterion becomes a threshold rule."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from governance.changes.criteria import DIRECTIONS, written
from governance.changes.models import ChangeRequest, Status
from monitoring.signals.models import Metric
from monitoring.thresholds.watch import watch
from stewardship.people.models import User, system_user


def on_moved(change: ChangeRequest, actor: User) -> None:
    """A change was carried out: its criteria hold for its version at its place until the watch period is over."""
    plan = getattr(change, "rollback", None)
    if change.status != Status.IMPLEMENTED or plan is None or not plan.criteria or not change.watch_days:
        return
    assert change.version is not None
    assert change.environment is not None
    assert change.implemented_at is not None
    back = plan.target_version.label if plan.target_version is not None else _("the version before")
    for number, (criterion, words) in enumerate(zip(plan.criteria, written(plan.criteria), strict=True), start=1):
        # The approvers agreed to it; nobody needs a right of their own to have it watched.
        watch(
            actor=system_user(),
            slug=f"watch-{change.reference.lower()}-{number}",
            name=_("%(reference)s: %(criterion)s") % {"reference": change.reference, "criterion": words},
            version=change.version,
            environment=change.environment,
            region=change.region,
            metric=Metric.objects.get(slug=criterion["metric"]),
            direction=DIRECTIONS[criterion["comparison"]],
            bound=criterion["bound"],
            next_action=_("Go back to %(version)s: %(steps)s") % {"version": back, "steps": plan.steps},
            since=change.implemented_at,
            until=change.implemented_at + timedelta(days=change.watch_days),
            reason=_("A rollback criterion of %(reference)s, which was carried out") % {"reference": change.reference},
        )
