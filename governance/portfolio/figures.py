"""The figures of the portfolio page. Each is one aggregate over what the person may see, and leads to exactly its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Tone
from config.portal.periods import quarter_began
from config.portal.permission import holds
from governance.changes.models import ChangeRequest, Status
from governance.changes.rights import ChangeRight
from governance.gate.models import Verdict
from governance.gate.rights import VerdictRight
from governance.policies.rules import DENY
from governance.portfolio.cockpit import Awaited, awaited
from governance.portfolio.rules import in_order, rolled_up
from monitoring.alerts.models import Alert
from monitoring.alerts.rights import AlertRight
from monitoring.thresholds.models import LevelChoice
from stewardship.coverage.models import Gap
from stewardship.coverage.rights import GapRight
from stewardship.inventory.models import TIERS, Deployment, RegisteredModel, Stage
from stewardship.inventory.rights import DeploymentRight, ModelRight
from stewardship.people.models import User
from stewardship.regions.listing import FOR_REAL, below
from stewardship.regions.models import Region

Text = str | Promise
MOST_AWAITED = 8
UNASSESSED = "none"  # how the register's filter calls models without a tier


@dataclass(frozen=True)
class Figure:
    """A number, what it counts, and the list that holds exactly what was counted."""

    name: str
    label: Text
    meaning: Text
    value: int
    url: str
    tone: Tone = "neutral"


class Portfolio:
    """What one person may see of everything, or of one region with all below it."""

    def __init__(self, user: User, at: datetime, region: str = "") -> None:
        self.user, self.at, self.region = user, at, region
        self.ids = below(region) if region else None
        # Practice is counted only where somebody asks for a region for practising by name.
        self.practice = Region.objects.for_practice() if self.ids is None else frozenset()

    def _rows(self, noun: Any, right: str) -> Any:
        rows = noun.objects.allowed(self.user, right)
        if self.ids is not None:
            return rows.filter(region_id__in=self.ids)
        return rows.exclude(region_id__in=self.practice) if self.practice else rows

    def url(self, name: str, **query: str) -> str:
        """A list, narrowed like the figure."""
        region = self.region or (FOR_REAL if self.practice else "")
        asked = {key: value for key, value in {**query, "region": query.get("region", region)}.items() if value}
        return f"{reverse(name)}?{urlencode(asked)}" if asked else reverse(name)

    # figures ---------------------------------------------------------------------------------------

    def figures(self) -> list[Figure]:
        """In the order of an executive's questions: what do we have, what is wrong, what waits, what was refused."""
        return [*self._models(), *self._alerts(), *self._gaps(), *self._changes(), *self._verdicts()]

    def _models(self) -> Iterator[Figure]:
        if holds(self.user, DeploymentRight.VIEW):
            live = self._rows(Deployment, DeploymentRight.VIEW).live(self.at)
            yield Figure(
                "live",
                _("Live deployments"),
                _("Versions that run now, each counted once per environment and region."),
                live.count(),
                self.url("deployment_list", state="live"),
            )

    def _alerts(self) -> Iterator[Figure]:
        if not holds(self.user, AlertRight.VIEW):
            return
        rows = self._rows(Alert, AlertRight.VIEW).unresolved().order_by().values("level").annotate(n=Count("pk"))
        by_level = {row["level"]: row["n"] for row in rows}
        tones: dict[str, Tone] = {LevelChoice.ACT: "act", LevelChoice.INVESTIGATE: "watch", LevelChoice.OBSERVE: "info"}
        labels = {
            LevelChoice.ACT: _("Alerts: act"),
            LevelChoice.INVESTIGATE: _("Alerts: investigate"),
            LevelChoice.OBSERVE: _("Alerts: observe"),
        }
        for level in (LevelChoice.ACT, LevelChoice.INVESTIGATE, LevelChoice.OBSERVE):
            n = by_level.get(level.value, 0)
            meaning = _("Alerts of this level that are not resolved, whoever has taken them on.")
            url = self.url("alert_list", status="unresolved", level=level.value)
            yield Figure(f"alerts-{level.value}", labels[level], meaning, n, url, tones[level] if n else "neutral")

    def _gaps(self) -> Iterator[Figure]:
        if holds(self.user, GapRight.VIEW):
            n = self._rows(Gap, GapRight.VIEW).open().count()
            meaning = _(
                "Places where nobody answers: a role without a holder, a model without an accountable person, a call without a path."
            )
            yield Figure("gaps", _("Open gaps"), meaning, n, self.url("gap_list", status="open"), "watch" if n else "neutral")

    def _changes(self) -> Iterator[Figure]:
        if not holds(self.user, ChangeRight.VIEW):
            return
        refused = Q(status=Status.REJECTED, decided_at__gte=quarter_began(self.at))
        n = self._rows(ChangeRequest, ChangeRight.VIEW).aggregate(
            awaited=Count("pk", filter=Q(status=Status.SUBMITTED)), refused=Count("pk", filter=refused)
        )
        url = self.url("change_list", tab="all", status=Status.SUBMITTED)
        yield Figure("awaited", _("Decisions awaited"), _("Changes that are in review."), n["awaited"], url)
        url = self.url("change_list", tab="all", status=Status.REJECTED, decided="quarter")
        meaning = _("Changes that were rejected since the quarter of the calendar year began.")
        yield Figure("refused", _("Rejected this quarter"), meaning, n["refused"], url)

    def _verdicts(self) -> Iterator[Figure]:
        if holds(self.user, VerdictRight.VIEW):
            rows = self._rows(Verdict, VerdictRight.VIEW).filter(verdict=DENY, at__gte=quarter_began(self.at))
            url = self.url("verdict_list", verdict=str(DENY), asked="quarter")
            meaning = _(
                "Answers “no” of the gate since the quarter of the calendar year began; a pipeline that asks twice is counted twice."
            )
            yield Figure("denied", _("Denied at the gate"), meaning, rows.count(), url)

    def awaited(self) -> list[Awaited]:
        """The changes that wait longest for a decision."""
        return awaited(self._rows(ChangeRequest, ChangeRight.VIEW), MOST_AWAITED)

    # the matrix ------------------------------------------------------------------------------------

    def counted(self) -> Counter[tuple[UUID, str, str]]:
        """How many models by region, tier and stage; one aggregate, however many models there are."""
        rows: QuerySet[Any] = self._rows(RegisteredModel, ModelRight.VIEW)
        cells = rows.order_by().values_list("region_id", "tier", "stage").annotate(n=Count("pk"))
        found: Counter[tuple[UUID, str, str]] = Counter()
        for region, tier, stage, n in cells:
            found[region, UNASSESSED if tier is None else str(tier), stage] += n
        return found


@dataclass(frozen=True)
class Cell:
    """One figure of the matrix; the address is empty where nothing was counted."""

    value: int
    url: str
    label: str


@dataclass(frozen=True)
class Row:
    """One region with everything below it."""

    name: str
    code: str
    depth: int
    total: Cell
    tiers: list[Cell]
    stages: list[Cell]


def tier_heads() -> list[tuple[str, Text]]:
    """The columns of tiers, as the register's filter names them."""
    return [*((str(tier), _("tier %(n)d") % {"n": tier}) for tier in TIERS), (UNASSESSED, _("not assessed"))]


def stage_heads() -> list[tuple[str, Text]]:
    """The columns of stages."""
    return [(stage.value, stage.label) for stage in Stage]


def matrix(portfolio: Portfolio, counts: Mapping[tuple[UUID, str, str], int]) -> list[Row]:
    """Region × tier and region × stage: every row holds what lies below it too, as the list behind it does."""
    regions = {one.pk: one for one in Region.objects.allowed(portfolio.user, ModelRight.VIEW) if one.pk not in portfolio.practice}
    if portfolio.ids is not None:
        regions = {pk: one for pk, one in regions.items() if pk in portfolio.ids}
    parents: dict[UUID, UUID | None] = {pk: one.parent_id for pk, one in regions.items()}
    tiers = rolled_up(_summed(counts, 1), parents)
    stages = rolled_up(_summed(counts, 2), parents)
    found = []
    for pk, depth in in_order(parents, {key: one.name for key, one in regions.items()}, regions):
        region = regions[pk]

        def cell(value: int, label: Text, code: str = region.code, name: str = region.name, **query: str) -> Cell:
            return Cell(value, portfolio.url("model_list", region=code, **query) if value else "", f"{name}, {label}: {value}")

        total = sum(n for (node, _stage), n in stages.items() if node == pk)
        found.append(
            Row(
                name=region.name,
                code=region.code,
                depth=depth,
                total=cell(total, _("all")),
                tiers=[cell(tiers.get((pk, tier), 0), label, tier=tier) for tier, label in tier_heads()],
                stages=[cell(stages.get((pk, stage.value), 0), stage.label, stage=stage.value) for stage in Stage],
            )
        )
    return found


def _summed(counts: Mapping[tuple[UUID, str, str], int], place: int) -> Counter[tuple[UUID, str]]:
    found: Counter[tuple[UUID, str]] = Counter()
    for key, n in counts.items():
        found[key[0], str(key[place])] += n
    return found
