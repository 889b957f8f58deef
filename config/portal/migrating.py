"""An app's first migration as one step, so that an empty database is ready in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState

# What the final shape of a new table already holds, so that it needs no statement of its own.
_IN_THE_TABLE: Final = (ops.AddField, ops.AddIndex, ops.AddConstraint)


class Together(Operation):
    """Create the tables of a first migration from their final state.

    Django draws every related model again after each operation; nearly all of ours are related through the user, so
    two hundred tables with their indexes took half a minute. Here the state is drawn once, after the last operation,
    and each table is made with its columns, indexes and constraints at once.
    """

    category = OperationCategory.ADDITION
    reduces_to_sql = True
    serialization_expand_args = ["operations"]

    def __init__(self, operations: Sequence[Operation]) -> None:
        created = {operation.name_lower for operation in operations if isinstance(operation, ops.CreateModel)}
        for operation in operations:
            in_the_table = isinstance(operation, _IN_THE_TABLE) and operation.model_name_lower in created
            if not in_the_table and not isinstance(operation, ops.CreateModel):
                raise ValueError(f"Together only makes new tables; give {operation.describe()!r} a migration of its own.")
        self.operations = list(operations)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [], {"operations": self.operations}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)  # a cached property; while it is absent, operations only take notes
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState) -> None:
        for operation in self._tables():
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState) -> None:
        for operation in reversed(self._tables()):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Create {len(self._tables())} tables"

    def _tables(self) -> list[ops.CreateModel]:
        return [operation for operation in self.operations if isinstance(operation, ops.CreateModel)]
