"""The question that pipelines ask: one read when the answer is ready, one write of what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from governance.gate import marks, standing
from governance.gate.errors import UnknownTarget, UnknownVersion
from governance.gate.judge import Place
from governance.gate.models import Standing, Verdict
from governance.gate.rights import VerdictRight
from stewardship.inventory.models import Environment, ModelVersion
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User
from stewardship.regions.models import Region

KEPT = ("verdict", "document", "marks", "computed_at", "valid_until", "mac")


@dataclass(frozen=True)
class Answer:
    """What the gate said, and where it is written down."""

    id: UUID
    verdict: str
    reasons: list[dict[str, str]]
    alternatives: list[dict[str, str]]
    permit: str | None
    change: UUID | None

    def as_document(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "id": str(self.id),
            "verdict": self.verdict,
            "reasons": self.reasons,
            "alternatives": self.alternatives,
            "permit": self.permit,
        }


def ask(*, model: str, environment: str, region: str, actor: User, version: str = "", digest: str = "") -> Answer:
    """May this version (by label or by digest) go to this environment of this region? Every answer is recorded.

    Raises UnknownVersion for what does not exist or may not be seen, UnknownTarget naming the field. Everything else,
    also what is not known, is an answer.
    """
    row = _read(_versions(actor, model, version, digest), environment, region)
    if row is None:
        raise UnknownVersion(
            _("There is no version %(version)s of %(model)s that you may ask about.") % {"version": version or digest[:12], "model": model},
            field="version" if version else "digest",
            remedy=_("Check the names, or ask for the right to use the gate for this model."),
        )
    _refuse_unknown(row, environment, region)
    at = moment()
    key = (row["pk"], row["environment_pk"], row["region_pk"])
    seen = marks.text_of(row, marks.looks())
    found: dict[str, Any] = {name: row[f"kept_{name}"] for name in KEPT}
    if not (standing.holds(key, found, seen, at) and standing.is_complete(found["verdict"], found["document"])):
        found = vars(standing.rebuild(_place(key)))
    return _record(key, found, actor, at)


def _versions(actor: User, model: str, version: str, digest: str) -> QuerySet[ModelVersion]:
    rows = ModelVersion.objects.allowed(actor, VerdictRight.ASK).filter(model__slug=model)
    return rows.filter(label=version) if version else rows.filter(digest=digest.lower().removeprefix("sha256:"))


def _read(rows: QuerySet[ModelVersion], environment: str, region: str) -> dict[str, Any] | None:
    """Version, place, the standing kept for it and the look of the facts, in one statement."""
    names = marks.looks()
    kept = Standing.objects.filter(version=OuterRef("pk"), environment__slug=environment, region__code=region)
    annotated = rows.annotate(
        environment_pk=Subquery(Environment.objects.filter(slug=environment).values("pk")[:1]),
        region_pk=Subquery(Region.objects.filter(code=region).order_by().values("pk")[:1]),
        **{f"kept_{name}": Subquery(kept.values(name)[:1]) for name in KEPT},
        **names,
    )
    found: dict[str, Any] | None = annotated.values("pk", "environment_pk", "region_pk", *(f"kept_{name}" for name in KEPT), *names).first()
    return found


def _refuse_unknown(row: dict[str, Any], environment: str, region: str) -> None:
    if row["environment_pk"] is None:
        raise UnknownTarget(
            _("There is no environment “%(name)s”.") % {"name": environment},
            field="environment",
            remedy=_("Use one of: %s.") % ", ".join(Environment.objects.order_by("order").values_list("slug", flat=True)),
        )
    if row["region_pk"] is None:
        raise UnknownTarget(
            _("There is no region “%(name)s”.") % {"name": region},
            field="region",
            remedy=_("Use the code of a region, as the portal shows it."),
        )


def _place(key: tuple[Any, Any, Any]) -> Place:
    version, environment, region = key
    return Place(
        ModelVersion.objects.select_related("model__region", "model__family").get(pk=version),
        Environment.objects.get(pk=environment),
        Region.objects.get(pk=region),
    )


def _record(key: tuple[Any, Any, Any], found: dict[str, Any], actor: User, at: datetime) -> Answer:
    document = found["document"]
    permit = document["permit"]
    verdict = Verdict(
        version_id=key[0],
        environment_id=key[1],
        region_id=key[2],
        verdict=found["verdict"],
        reasons=document["reasons"],
        alternatives=document["alternatives"],
        change_id=document["change"],
        permit_id=permit["id"] if permit else None,
    )
    with acting(actor, _("Asked the gate")):
        verdict.save()
    return Answer(
        id=verdict.pk,
        verdict=str(found["verdict"]),
        reasons=document["reasons"],
        alternatives=document["alternatives"],
        permit=permit["token"] if permit else None,
        change=UUID(document["change"]) if document["change"] else None,
    )
