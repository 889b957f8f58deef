"""What people may be allowed to do with roles."""

from enum import StrEnum


class RoleRight(StrEnum):
    VIEW = "roles:role:view"
    CONFIGURE = "roles:role:configure"


class AssignmentRight(StrEnum):
    VIEW = "roles:assignment:view"
    ASSIGN = "roles:assignment:assign"
    ASSIGN_SECOND_LINE = "roles:assignment:assign_second_line"
