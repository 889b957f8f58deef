"""What people may be allowed to do with regions."""

from enum import StrEnum


class RegionRight(StrEnum):
    VIEW = "regions:region:view"
    CONFIGURE = "regions:region:configure"
