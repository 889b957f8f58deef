"""What people and pipelines may be allowed to do with evidence."""

from enum import StrEnum


class ArtifactRight(StrEnum):
    VIEW = "evidence:artifact:view"
    ATTACH = "evidence:artifact:attach"
