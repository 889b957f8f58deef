"""Looks at a built example from inside a process of its own and prints what it sees as JSON; see test_demo_build.py."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator
from typing import Any


def histories() -> Iterator[tuple[str, Any, str, Any]]:
    """(label, model, field, TRANSITIONS) of every recorded noun with a status or stage, found by its module."""
    from django.apps import apps

    from stewardship.journal.record import Recorded

    for model in apps.get_models():
        if not issubclass(model, Recorded):
            continue
        module = importlib.import_module(model.__module__)
        for name in ("status", "stage"):
            if name not in {field.name for field in model._meta.fields if field.choices}:  # a foreign key may be called stage too
                continue
            own = getattr(module, f"{model.__name__.upper()}_TRANSITIONS", None)
            yield model._meta.label, model, name, own if own is not None else getattr(module, "TRANSITIONS", None)


def steps_of(model: Any, field: str, transitions: Any) -> list[str]:
    """What is wrong with the histories of one noun; empty when each begins in the first status and makes only known steps."""
    wrong: list[str] = []
    first = model._meta.get_field(field).default
    before: dict[Any, str] = {}
    for pk, value in model.history.order_by("id", "history_date", "history_id").values_list("id", field):
        last = before.get(pk)
        if last is None and value != first:
            wrong.append(f"{pk} begins as {value}")
        if last is not None and last != value and value not in transitions.get(last, ()):
            wrong.append(f"{pk}: {last} to {value}")
        before[pk] = value
    return wrong


def look() -> dict[str, Any]:
    """Counts, and what is wrong with histories."""
    from django.db.models import Count, F
    from django.utils import timezone

    from governance.approvals.models import Decision, Requirement
    from governance.changes.models import ChangeRequest
    from governance.policies.models import Waiver
    from monitoring.alerts.models import Alert
    from stewardship.coverage.models import Gap
    from stewardship.escalation.models import Run
    from stewardship.inventory.models import Deployment, ModelFamily, ModelVersion, RegisteredModel
    from stewardship.people.models import User
    from stewardship.regions.models import Region
    from stewardship.roles.holders import accountable

    def count(rows: Any, *fields: str) -> dict[str, int]:
        found = rows.order_by().values(*fields).annotate(n=Count("pk"))
        return {"/".join(str(row[field]) for field in fields): row["n"] for row in found}

    known = list(histories())
    return {
        "regions": dict(Region.objects.values_list("code", "parent__code")),
        "families": ModelFamily.objects.count(),
        "models": count(RegisteredModel.objects.all(), "stage"),
        "changes": count(ChangeRequest.objects.all(), "kind", "status"),
        "alerts": count(Alert.objects.all(), "level", "status"),
        "resolutions": count(Alert.objects.all(), "resolution"),
        "refusals": list(Decision.objects.filter(outcome=Decision.Outcome.REJECT).values_list("comment", flat=True)),
        "waivers": Waiver.objects.count(),
        "met_late": Requirement.objects.filter(met_at__gt=F("due_at")).count(),
        "missed": Requirement.objects.asked().filter(due_at__lte=timezone.now()).count(),
        "gaps": Gap.objects.open().count(),
        "runs": count(Run.objects.all(), "subject_kind", "status"),
        "people": User.objects.active().count(),
        "unsigned": Decision.objects.filter(signature__token__consumed_at__isnull=True).count(),
        "decisions": Decision.objects.count(),
        "real": sorted(ModelVersion.objects.filter(model__slug="tumour-risk").values_list("label", flat=True)),
        "real_live": sorted(Deployment.objects.live().filter(model__slug="tumour-risk").values_list("region__code", flat=True)),
        "unaccounted": [model.slug for model in RegisteredModel.objects.all() if accountable(model) is None],
        "out_of_order": out_of_order(),
        "nouns": sorted(label for label, *_rest in known),
        "without_transitions": sorted(label for label, _model, _field, transitions in known if transitions is None),
        "wrong": {label: wrong for label, model, field, transitions in known if (wrong := steps_of(model, field, transitions or {}))},
    }


def out_of_order() -> list[str]:
    """Entries of what a model's history tells that say they happened before the entry before them."""
    from governance.portfolio.happened import NOUNS
    from stewardship.journal import leaf
    from stewardship.journal.models import Entry
    from stewardship.journal.tables import shapes

    told = [shape.table for shape in shapes() if shape.noun in NOUNS]
    wrong, before = [], ""
    for entry in Entry.objects.filter(tbl__in=told).order_by("index"):
        at = leaf.parse(entry.payload.encode())["at"]
        if at < before:
            wrong.append(f"{entry.index} {entry.tbl}: {at} after {before}")
        before = at
    return wrong


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    print(json.dumps(look()))
