"""What people may be allowed to do with frameworks."""

from enum import StrEnum


class FrameworkRight(StrEnum):
    VIEW = "frameworks:framework:view"
    CONFIGURE = "frameworks:framework:configure"
