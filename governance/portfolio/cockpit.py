"""What one model's page says first: where it runs, what waits, how it does. Facts are read once and judged here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.portal.chips import Chip
from config.portal.templatetags.portal import distance, span
from governance.approvals.models import Decision, Requirement
from governance.approvals.rights import DecisionRight
from governance.approvals.waiting import nearest
from governance.changes.models import ChangeQuerySet, ChangeRequest
from governance.changes.rights import ChangeRight
from governance.gate import standing as gate
from governance.gate.models import Standing
from governance.gate.panels import chip_of
from governance.gate.rights import StandingRight
from governance.policies.rules import ALLOW
from monitoring.alerts.models import RANKS, Alert
from monitoring.alerts.rights import AlertRight
from monitoring.signals.models import Series
from monitoring.signals.rights import SeriesRight
from monitoring.thresholds.models import Track
from monitoring.thresholds.rules import Level
from stewardship.access.reach import tree_of
from stewardship.inventory.models import Deployment, Environment, ModelVersion, RegisteredModel
from stewardship.inventory.rights import DeploymentRight
from stewardship.people.models import User
from stewardship.regions.models import Region

MOST_PLACES = 24
FEW = 5


@dataclass(frozen=True)
class Place:
    """A version at an environment of a region: running there, or asked about at the gate, or both."""

    version: ModelVersion
    environment: Environment
    region: Region
    deployment: Deployment | None
    standing: Standing | None
    holds: bool  # whether the gate would still answer from it

    @property
    def chip(self) -> Chip:
        """What the gate says."""
        return chip_of(self.standing, holds=self.holds)

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Why the gate does not say yes."""
        kept = self.standing
        return list(kept.document.get("reasons", ())) if kept is not None and self.holds and kept.verdict != ALLOW else []


def places(user: User, model: RegisteredModel, at: datetime) -> list[Place]:
    """Where versions run or may run: what is live first, then the environments closest to customers."""
    live = Deployment.objects.allowed(user, DeploymentRight.VIEW).live(at).filter(model=model)
    standings = Standing.objects.allowed(user, StandingRight.VIEW).filter(version__model=model).order_by("-computed_at")
    related = ("version", "environment", "region")
    runs = {(one.version_id, one.environment_id, one.region_id): one for one in live.select_related(*related)[:MOST_PLACES]}
    asked = {(one.version_id, one.environment_id, one.region_id): one for one in standings.select_related(*related)[:MOST_PLACES]}
    seen = gate.marks_of_each(one.version_id for one in asked.values())
    found = []
    for key in {**runs, **asked}:
        one, kept = runs.get(key) or asked[key], asked.get(key)
        holds = kept is not None and gate.holds(key, vars(kept), seen[kept.version_id], at)
        found.append(Place(one.version, one.environment, one.region, runs.get(key), kept, holds))
    return sorted(
        found,
        key=lambda place: (
            place.deployment is None,
            -place.environment.order,
            place.region.name,
            -place.version.registered_at.timestamp(),
        ),
    )[:MOST_PLACES]


@dataclass(frozen=True)
class Health:
    """How the model does, as far as anything is known: open alerts, and how many series could be judged."""

    alerts: list[Alert]
    measured: int
    judged: int
    beyond: int
    unknown: int

    @property
    def worst(self) -> Alert | None:
        """The open alert of the highest level; of equals the oldest."""
        return max(self.alerts, key=lambda alert: (alert.rank, -alert.opened_at.timestamp()), default=None)

    @property
    def chip(self) -> Chip:
        worst = self.worst
        if worst is not None and worst.rank == RANKS[Level.ACT.value]:
            return Chip(_("act"), "act")
        if worst is not None and worst.rank == RANKS[Level.INVESTIGATE.value]:
            return Chip(_("investigate"), "watch")
        if self.beyond:
            return Chip(_("beyond a bound"), "watch")
        if self.unknown or not self.judged:
            return Chip(_("not known"), "unknown")
        return Chip(_("within bounds"), "good")

    @property
    def is_known(self) -> bool:
        """False where neither an alert nor a fresh measurement says anything."""
        return self.chip.tone != "unknown"

    def sentence(self, at: datetime) -> str:
        """In words; silence and missing thresholds are said, never passed over."""
        worst = self.worst
        if worst is not None:
            return _("%(level)s: %(what)s, since %(time)s.") % {
                "level": str(worst.get_level_display()).capitalize(),
                "what": worst.title.rstrip("."),
                "time": span(at - worst.opened_at),
            }
        if not self.measured:
            return _("How it does is not known: nothing is measured.")
        if not self.judged:
            return _("How it does is not known: no threshold judges what is measured.")
        if self.unknown:
            return ngettext(
                "How it does is not fully known: %(n)d of %(all)d series has no fresh data.",
                "How it does is not fully known: %(n)d of %(all)d series have no fresh data.",
                self.unknown,
            ) % {"n": self.unknown, "all": self.judged}
        if self.beyond:
            return ngettext("%(n)d series is beyond a bound.", "%(n)d series are beyond a bound.", self.beyond) % {"n": self.beyond}
        return _("Everything that is judged (%(n)d series) is within its bounds.") % {"n": self.judged}


def health(user: User, model: RegisteredModel, at: datetime) -> Health:
    """Three queries: the open alerts, and where each series of what runs stands under the rules that judge it at this instant."""
    alerts = Alert.objects.allowed(user, AlertRight.VIEW).unresolved().filter(model=model).select_related("region").order_by("opened_at")
    # A rule that has ended leaves its last word behind, which says nothing of today.
    judging = Track.objects.filter(series__model=model).judging(at, tree_of(user))
    columns = ("pk", "judges", "tracks__level", "tracks__reading", "tracks__due_by", "tracks__stale_since")
    rows = Series.objects.allowed(user, SeriesRight.VIEW).of_model(model.pk).with_gone(at).filter(gone=False)
    rows = rows.annotate(judges=Case(When(tracks__in=judging, then=True), default=False)).values_list(*columns)
    states: dict[UUID, list[Track]] = {}
    for series, judges, level, reading, due_by, stale_since in rows:
        kept = states.setdefault(series, [])
        if judges:
            kept.append(Track(level=level, reading=reading, due_by=due_by, stale_since=stale_since))
    judged = [tracks for tracks in states.values() if tracks]
    return Health(
        alerts=list(alerts[:50]),
        measured=len(states),
        judged=len(judged),
        beyond=sum(any(track.level in {Level.INVESTIGATE, Level.ACT} for track in tracks) for tracks in judged),
        unknown=sum(not all(track.is_known(at) for track in tracks) for tracks in judged),
    )


@dataclass(frozen=True)
class Awaited:
    """A change on which somebody must decide, and what is asked now."""

    change: ChangeRequest
    asked: list[Requirement]

    @property
    def roles(self) -> str:
        """Whose decision it waits for."""
        return ", ".join(dict.fromkeys(str(each.role) for each in self.asked)) or _("nobody who could decide")

    @property
    def nearest(self) -> Requirement | None:
        """What is due first."""
        return nearest(self.asked)


def awaited(rows: ChangeQuerySet, most: int = FEW) -> list[Awaited]:
    """Of these changes those in review, the oldest first; two queries."""
    changes = list(rows.in_review().select_related("model", "region", "environment", "version").order_by("submitted_at", "pk")[:most])
    asked: dict[UUID, list[Requirement]] = {change.pk: [] for change in changes}
    for each in Requirement.objects.asked().filter(stage__route__change__in=changes).select_related("role", "stage__route"):
        asked[each.stage.route.change_id].append(each)
    return [Awaited(change, asked[change.pk]) for change in changes]


def waiting_changes(user: User, model: RegisteredModel) -> list[Awaited]:
    """What waits for a decision about this model."""
    return awaited(ChangeRequest.objects.allowed(user, ChangeRight.VIEW).filter(model=model))


def latest_decisions(user: User, model: RegisteredModel) -> list[Decision]:
    """What was decided last about this model."""
    rows = Decision.objects.allowed(user, DecisionRight.VIEW).filter(change__model=model)
    return list(rows.select_related("change", "person", "requirement__role").order_by("-at")[:FEW])


def open_count(user: User, model: RegisteredModel) -> int:
    """Changes that have not ended."""
    return ChangeRequest.objects.allowed(user, ChangeRight.VIEW).open().filter(model=model).count()


# the answer ----------------------------------------------------------------------------------------


def answer(found: Iterable[Place], waiting: list[Awaited], state: Health, at: datetime) -> str:
    """The question of the page in two or three sentences."""
    return " ".join([_runs([place for place in found if place.deployment is not None], at), _waits(waiting), state.sentence(at)])


def _runs(live: list[Place], at: datetime) -> str:
    if not live:
        return _("It runs nowhere.")
    production = [place for place in live if place.environment.production] or live
    first = production[0]
    assert first.deployment is not None  # live places have one
    said = {
        "version": first.version.label,
        "environment": first.environment.name,
        "region": first.region.name,
        "time": distance(at - first.deployment.started_at),
        "n": len(live) - 1,
    }
    if len(live) == 1:
        return _("%(version)s runs in %(region)s (%(environment)s), started %(time)s.") % said
    return (
        ngettext(
            "%(version)s runs in %(region)s (%(environment)s), started %(time)s; %(n)d other place has a version too.",
            "%(version)s runs in %(region)s (%(environment)s), started %(time)s; %(n)d other places have a version too.",
            len(live) - 1,
        )
        % said
    )


def _waits(waiting: list[Awaited]) -> str:
    if not waiting:
        return _("Nothing waits for a decision.")
    first = waiting[0]
    said = {"change": first.change.reference, "roles": first.roles, "n": len(waiting) - 1}
    if len(waiting) == 1:
        return _("%(change)s waits for: %(roles)s.") % said
    return (
        ngettext(
            "%(change)s waits for: %(roles)s; %(n)d other change waits too.",
            "%(change)s waits for: %(roles)s; %(n)d other changes wait too.",
            len(waiting) - 1,
        )
        % said
    )
