"""What policies, routes and dossiers may know of a version's evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.evidence.models import Artifact
from stewardship.inventory.models import ModelVersion

COUNTS = ("total", "passed", "failed", "errors", "skipped")


def facts(version: ModelVersion | None, at: datetime | None = None, counted: list[Artifact] | None = None) -> dict[str, Any]:
    """{metrics, tests, kinds, problems}; without a version, or without evidence, nothing is known.

    `tests` adds up the latest file of each name, and is left out when one of them cannot be read: a broken file must not hide
    behind a good one. Of a metric that stands in several files the one attached last counts. `kinds` names what could be read.
    Whoever has read `that_counts` already hands it over as `counted`.
    """
    if version is None:
        return {"metrics": {}, "kinds": [], "problems": []}
    metrics: dict[str, Any] = {}
    tests: dict[str, Any] = {}
    kinds: set[str] = set()
    unread: list[Artifact] = []
    for artifact in Artifact.objects.that_counts(version, at) if counted is None else counted:
        if artifact.problem:
            unread.append(artifact)
            continue
        kinds.add(artifact.kind)
        metrics.update(artifact.readings.get("metrics", {}))
        _add(tests, artifact.readings.get("tests"))
    broken = {artifact.kind for artifact in unread}
    found: dict[str, Any] = {
        # What a file said that cannot be read is not known, so neither is what others say of the same kind.
        "metrics": {} if "metrics" in broken else metrics,
        "kinds": sorted(kinds - broken),
        "problems": [f"{artifact.name}: {artifact.problem}" for artifact in unread],
    }
    if tests and "junit" not in broken:
        found["tests"] = tests
    return found


def listed(version: ModelVersion | None) -> list[dict[str, str]]:
    """The evidence of the version as it is now, by kind, name and digest: what people agree to, and what is compared with it later."""
    if version is None:
        return []
    found = ({"kind": each.kind, "name": each.name, "sha256": each.blob.sha256} for each in Artifact.objects.that_counts(version))
    return sorted(found, key=lambda each: (each["kind"], each["name"]))


def _add(tests: dict[str, Any], more: dict[str, Any] | None) -> None:
    if more is None:
        return
    for count in COUNTS:
        tests[count] = tests.get(count, 0) + more[count]
    tests["failed_names"] = [*tests.get("failed_names", []), *more["failed_names"]]
