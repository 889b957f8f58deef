"""The evidence that is agreed to, each file with the way to it and what its reader found, for one reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from governance.changes.models import ChangeRequest
from governance.evidence.models import Artifact
from governance.evidence.rights import ArtifactRight
from stewardship.people.models import User


@dataclass(frozen=True)
class File:
    """One line of the evidence; `blob` and `tests` only where the reader may see the file."""

    name: str
    kind: str
    sha256: str
    blob: UUID | None = None
    tests: dict[str, Any] | None = None
    problem: str = ""


def files(change: ChangeRequest, user: User) -> list[File]:
    """The evidence as it stands in the content of the change; one query, none without evidence."""
    listed = change.evidence or []
    if not listed:
        return []
    rows = Artifact.objects.allowed(user, ArtifactRight.VIEW).filter(
        version=change.version_id, blob__sha256__in=[each["sha256"] for each in listed]
    )
    seen = {(row.kind, row.name, row.blob.sha256): row for row in rows.select_related("blob")}
    return [_file(each, seen.get((each["kind"], each["name"], each["sha256"]))) for each in listed]


def _file(each: dict[str, str], row: Artifact | None) -> File:
    if row is None:
        return File(each["name"], each["kind"], each["sha256"])
    return File(each["name"], each["kind"], each["sha256"], row.blob_id, row.readings.get("tests"), row.problem)
