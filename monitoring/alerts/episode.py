"""How an episode begins, rises, calms down and ends. Called inside the transaction of whatever caused it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from config.portal.errors import DomainError
from monitoring.alerts import hooks
from monitoring.alerts.models import RANKS, SUBJECT, Alert, Kind, Status
from monitoring.thresholds.models import LevelChoice
from stewardship.coverage.gaps import open_gap
from stewardship.coverage.models import Kind as GapKind
from stewardship.escalation import follow
from stewardship.escalation.errors import NoPath
from stewardship.escalation.start import start
from stewardship.journal.acting import acting, moment

if TYPE_CHECKING:
    from monitoring.signals.models import Series, Source
    from monitoring.thresholds.models import Rule
    from stewardship.inventory.models import Environment, ModelVersion, RegisteredModel
    from stewardship.people.models import User
    from stewardship.regions.models import Region

log = logging.getLogger("concordat.alerts")

# An observation is looked at in the course of work; the other levels call somebody.
CALLING = (LevelChoice.INVESTIGATE, LevelChoice.ACT)


@dataclass(frozen=True)
class Trouble:
    """What is wrong, before it is anybody's alert."""

    kind: Kind
    cause: str
    level: str
    title: str
    began_at: datetime
    model: RegisteredModel
    region: Region
    version: ModelVersion | None = None
    environment: Environment | None = None
    series: Series | None = None
    rule: Rule | None = None
    source: Source | None = None
    external_key: str = ""
    next_action: str = ""
    context: dict[str, Any] = field(default_factory=dict)


def current(cause: str) -> Alert | None:
    """The unresolved episode of this cause, locked."""
    alert: Alert | None = Alert.objects.of_cause(cause).unresolved().select_for_update(of=("self",)).first()
    return alert


def begin(trouble: Trouble, *, actor: User, call: bool = True) -> Alert:
    """Open the next episode of this cause; with `call`, people are called and the floors above are told."""
    latest = Alert.objects.of_cause(trouble.cause).aggregate(latest=Max("episode"))["latest"] or 0
    alert = Alert(
        kind=trouble.kind,
        cause=trouble.cause,
        episode=latest + 1,
        level=trouble.level,
        title=trouble.title,
        began_at=trouble.began_at,
        opened_at=moment(),
        model=trouble.model,
        region=trouble.region,
        version=trouble.version,
        environment=trouble.environment,
        series=trouble.series,
        rule=trouble.rule,
        source=trouble.source,
        external_key=trouble.external_key,
        next_action=trouble.next_action,
        context=trouble.context,
    )
    with acting(actor, trouble.title):
        alert.save()
    if call:
        _call(alert, actor=actor)
        _tell(alert, actor=actor)
    return alert


def rise(alert: Alert, trouble: Trouble, *, actor: User) -> None:
    """It has become worse: what was acknowledged was the milder level, so people are called again."""
    if RANKS[trouble.level] <= alert.rank:
        return
    alert.level, alert.title, alert.context = trouble.level, trouble.title, trouble.context
    alert.next_action, alert.external_key = trouble.next_action, trouble.external_key
    alert.status, alert.cleared_at = Status.OPEN, None
    with acting(actor, _("Risen: %(title)s") % {"title": trouble.title}):
        alert.save()
    _call(alert, actor=actor)
    _tell(alert, actor=actor)


def calm(alert: Alert, at: datetime, *, actor: User) -> None:
    """The value is back inside. A mere observation is over with that; anything more ends by a person's word."""
    if alert.level == LevelChoice.OBSERVE:
        alert.end(actor=actor, reason=_("The value is within its bounds again."))
        return
    with acting(actor, _("The value is within its bounds again.")):
        alert.cleared_at = at
        alert.save(update_fields=["cleared_at"])


def relapse(alert: Alert, *, actor: User) -> None:
    """The value is outside again before anybody closed the episode: the same episode goes on."""
    if alert.cleared_at is not None:
        with acting(actor, _("The value is outside its bounds again.")):
            alert.cleared_at = None
            alert.save(update_fields=["cleared_at"])


def _call(alert: Alert, *, actor: User) -> None:
    if alert.level not in CALLING:
        return
    try:
        start(
            subject_kind=SUBJECT,
            subject_id=alert.pk,
            label=alert.title,
            level=alert.level,
            model=alert.model,
            region=alert.region,
            actor=actor,
        )
    except NoPath as refusal:
        # Nobody is configured to be called: the alert stays open, and the hole itself becomes somebody's task.
        log.warning("Alert %s calls nobody: %s", alert.pk, refusal)
        # Whoever answered the milder level has not answered this one.
        follow.settled(SUBJECT, alert.pk, actor=actor, reason=_("The level changed to %(level)s.") % {"level": alert.get_level_display()})
        open_gap(
            kind=GapKind.NO_PATH,
            subject_kind=SUBJECT,
            subject_id=alert.pk,
            label=_("Nobody is configured to be called about: %(title)s") % {"title": alert.title},
            region=alert.region,
            model=alert.model,
            actor=actor,
        )


def _tell(alert: Alert, *, actor: User) -> None:
    for name, reaction in hooks.opened().items():
        try:
            with transaction.atomic():
                reaction(alert, actor=actor)
        except DomainError as refusal:
            log.warning("Reaction %s to alert %s refused: %s", name, alert.pk, refusal)
            open_gap(
                kind="reaction refused",
                subject_kind=SUBJECT,
                subject_id=alert.pk,
                label=_("What should follow could not be prepared: %(why)s") % {"why": refusal.message},
                region=alert.region,
                model=alert.model,
                actor=actor,
            )
