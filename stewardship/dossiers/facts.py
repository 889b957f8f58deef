"""What policies may know of a model's dossier."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stewardship.dossiers import rules
from stewardship.dossiers.models import Dossier, Template
from stewardship.inventory.models import RegisteredModel


def facts(model: RegisteredModel, at: datetime) -> dict[str, Any]:
    """{completeness (0 to 1), missing, stale, revision, digest} of the main dossier at this instant.

    Without a template for the region nothing is known; with one, but no revision, nothing is complete.
    """
    template = next(iter(Template.objects.for_region(model.region).values()), None)
    dossiers = Dossier.objects.filter(model=model).select_related("template").order_by("template__order", "slug")
    dossier = (dossiers.filter(slug=template.slug) if template else dossiers).first()
    revision = dossier.as_of(at) if dossier else None
    if revision is None:
        return {"completeness": 0, "missing": rules.completeness(template.sections, {}).missing, "stale": []} if template else {}
    found = revision.completeness(at)
    return {
        "completeness": found.share,
        "missing": found.missing,
        "stale": found.stale,
        "revision": revision.number,
        "digest": revision.digest,
    }
