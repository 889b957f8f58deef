"""From a change of level under one of our own rules to what happens to alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from monitoring.alerts import episode, sentences
from monitoring.alerts.models import Alert, Kind
from monitoring.thresholds.evaluate import Outcome
from monitoring.thresholds.rules import Level, Point, Transition
from stewardship.inventory.models import Deployment

if TYPE_CHECKING:
    from stewardship.people.models import User

# What was deployed shortly before a breach is the first suspect.
SUSPECT = timedelta(days=7)


def cause_of(series_id: Any, rule_id: Any) -> str:
    """One unresolved alert per series and rule."""
    return f"threshold:{series_id}:{rule_id}"


def silence_of(series_id: Any, rule_id: Any) -> str:
    """One unresolved alert about missing data per series and rule."""
    return f"silence:{series_id}:{rule_id}"


def follow(outcome: Outcome, *, actor: User) -> list[Alert]:
    """Open, raise or calm the alert of this series; a series that was silent and speaks again ends that alert."""
    touched: list[Alert] = []
    if outcome.broke_silence:
        quiet = episode.current(silence_of(outcome.series.pk, outcome.effective.rule.pk))
        if quiet is not None:
            quiet.end(actor=actor, reason=_("Data came again."))
            touched.append(quiet)
    cause = cause_of(outcome.series.pk, outcome.effective.rule.pk)
    for transition in outcome.transitions:
        alert = episode.current(cause)
        if transition.after is Level.OK:
            if alert is not None:
                episode.calm(alert, transition.point.end, actor=actor)
                touched.append(alert)
            continue
        if alert is None and transition.after.rank < transition.before.rank:
            continue  # a person closed the worse level; its ebbing away is no new episode
        trouble = _trouble(outcome, transition, cause)
        if alert is None:
            alert = episode.begin(trouble, actor=actor)
        elif transition.after.rank > transition.before.rank:
            episode.relapse(alert, actor=actor)
            episode.rise(alert, trouble, actor=actor)
        touched.append(alert)
    return touched


def _trouble(outcome: Outcome, transition: Transition, cause: str) -> episode.Trouble:
    series, effective, level = outcome.series, outcome.effective, transition.after
    band, node = effective.judgement.bands[level], effective.owner_of(level)
    return episode.Trouble(
        kind=Kind.THRESHOLD,
        cause=cause,
        level=level.value,
        title=sentences.breach(series.label, series.model.name, series.region.name, transition.point.value, band, node),
        began_at=transition.point.end,
        model=series.model,
        region=series.region,
        version=series.version,
        environment=series.environment,
        series=series,
        rule=effective.rule,
        next_action=(effective.rule.next_actions or {}).get(level.value, ""),
        context=_context(outcome, transition.point, level),
    )


def _context(outcome: Outcome, point: Point, level: Level) -> dict[str, Any]:
    """What the alert's card shows, frozen: the value, the bound with its owner, the sample, and what else moved."""
    effective = outcome.effective
    band = effective.judgement.bands[level]
    _how, bound = sentences.beyond(band, point.value)
    return {
        "value": point.value,
        "n": point.n,
        "window": {"start": point.start.isoformat(), "end": point.end.isoformat()},
        "bound": bound,
        "node": effective.owner_of(level),
        "judged_by": effective.document(),
        "judged_by_digest": effective.digest(),
        "moved": moved(outcome.series.model_id, point),
    }


def moved(model_id: Any, point: Point) -> list[dict[str, str]]:
    """Deployments of the model that began in the window or shortly before it."""
    found = Deployment.objects.filter(model=model_id, started_at__gte=point.start - SUSPECT, started_at__lte=point.end)
    return [
        {
            "version": deployment.version.label,
            "environment": deployment.environment.name,
            "region": deployment.region.name,
            "at": deployment.started_at.isoformat(),
        }
        for deployment in found.select_related("version", "environment", "region").order_by("-started_at")[:5]
    ]
