"""What people may be allowed to do with the inventory."""

from enum import StrEnum


class ModelRight(StrEnum):
    VIEW = "inventory:model:view"
    REGISTER = "inventory:model:register"
    EDIT = "inventory:model:edit"
    SET_TIER = "inventory:model:set_tier"
    MOVE = "inventory:model:move"


class VersionRight(StrEnum):
    VIEW = "inventory:version:view"
    REGISTER = "inventory:version:register"


class DeploymentRight(StrEnum):
    VIEW = "inventory:deployment:view"
    RECORD = "inventory:deployment:record"
