"""The lists behind the figures: deployments, answers of the gate, and the counts as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.portal.chips import Chip
from config.portal.periods import quarter_began
from config.portal.tables import Column, Filter, Table, safe
from governance.gate.models import Verdict
from governance.gate.panels import TONES
from governance.gate.rights import VerdictRight
from governance.policies.models import Verdict as Answer
from stewardship.inventory.models import Stage
from stewardship.inventory.rights import DeploymentRight
from stewardship.inventory.shown import model_url
from stewardship.regions.listing import region_filter


def _state(rows: Any, value: str) -> Any:
    return rows.live(timezone.now()) if value == "live" else rows.filter(ended_at__isnull=False)


class DeploymentTable(Table):
    """One row per deployment, the newest first."""

    columns = (
        Column("model", gettext_lazy("Model"), value="model__name", link=lambda row: model_url(row.model)),
        Column(
            "version", gettext_lazy("Version"), value="version__label", link=lambda row: reverse("version_detail", args=[row.version_id])
        ),
        Column("environment", gettext_lazy("Environment"), value="environment__name"),
        Column("region", gettext_lazy("Region"), value="region__name"),
        Column("share", gettext_lazy("Share"), value=lambda row: f"{row.share:.0%}", export=lambda row: row.share, numeric=True),
        Column("started_at", gettext_lazy("Started"), order="started_at"),
        Column("ended_at", gettext_lazy("Ended")),
    )
    filters = (
        Filter("state", gettext_lazy("State"), choices=[("live", gettext_lazy("live")), ("ended", gettext_lazy("ended"))], apply=_state),
        region_filter(DeploymentRight.VIEW),
    )
    search = ("model__name__icontains", "model__slug__icontains", "version__label__icontains")
    ordering = ("-started_at",)
    name = "deployments"
    caption = gettext_lazy("Deployments")
    empty = gettext_lazy("Nothing was ever deployed. A pipeline tells when it has deployed a version.")


def _asked(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    return rows.filter(at__gte=quarter_began(timezone.now()))


def _answer(row: Verdict) -> Chip:
    return Chip(row.get_verdict_display(), TONES[row.verdict])


def _reason(row: Verdict) -> str:
    return str(row.reasons[0].get("text", "")) if row.reasons else ""


class VerdictTable(Table):
    """One row per question, the newest first."""

    columns = (
        Column(
            "version",
            gettext_lazy("Version"),
            value=lambda row: f"{row.version.model.name} {row.version.label}",
            link=lambda row: reverse("version_detail", args=[row.version_id]),
        ),
        Column("verdict", gettext_lazy("Answer"), value=_answer, export=lambda row: row.verdict),
        Column("environment", gettext_lazy("Environment"), value="environment__name"),
        Column("region", gettext_lazy("Region"), value="region__name"),
        Column("reason", gettext_lazy("First reason"), value=_reason, wide=True),
        Column("at", gettext_lazy("Asked"), order="at"),
    )
    filters = (
        Filter("verdict", gettext_lazy("Answer"), choices=Answer.choices),
        region_filter(VerdictRight.VIEW),
        Filter("asked", gettext_lazy("Asked"), choices=[("quarter", gettext_lazy("this quarter"))], apply=_asked),
    )
    search = ("version__model__name__icontains", "version__label__icontains")
    ordering = ("-at",)
    name = "verdicts"
    caption = gettext_lazy("Answers of the gate")
    empty = gettext_lazy("Nobody has asked the gate yet. A pipeline asks before it deploys.")


@dataclass(frozen=True)
class CountsCsv:
    """The counts of the portfolio as rows: region itself (not what lies below it), tier, stage, models."""

    counts: Mapping[tuple[UUID, str, str], int]
    names: Mapping[UUID, str]

    def response(self) -> HttpResponse:
        """A download; cells that a spreadsheet would run as a formula are made text."""
        lines = io.StringIO()
        writer = csv.writer(lines)
        writer.writerow([safe(head) for head in (_("Region"), _("Tier"), _("Stage"), _("Models"))])
        rows = [(self.names.get(region, ""), tier, str(Stage(stage).label), n) for (region, tier, stage), n in self.counts.items()]
        writer.writerows([safe(cell) for cell in row] for row in sorted(rows))
        response = HttpResponse("\ufeff" + lines.getvalue(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="portfolio-{timezone.now():%Y%m%dT%H%MZ}.csv"'
        return response
