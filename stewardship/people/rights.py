"""What people may be allowed to do with people."""

from enum import StrEnum


class PersonRight(StrEnum):
    VIEW = "people:person:view"
    MANAGE = "people:person:manage"


class TokenRight(StrEnum):
    ISSUE = "people:token:issue"
