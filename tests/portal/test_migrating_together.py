"""A first migration made at once leaves the same tables as one made step by step."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter
from django.db.utils import ConnectionHandler

from config.portal.migrating import Together

pytestmark = pytest.mark.django_db


def steps() -> list[Operation]:
    """Two tables that point at each other, so that one column, an index and a constraint come later."""
    key = ("id", models.BigAutoField(primary_key=True))
    tags = models.ManyToManyField("library.shelf", related_name="+")
    return [
        migrations.CreateModel("Shelf", [key, ("name", models.CharField(max_length=20, unique=True))]),
        migrations.CreateModel(
            "Book",
            [
                key,
                ("shelf", models.ForeignKey("library.shelf", models.PROTECT)),
                ("tags", tags),
            ],
        ),
        migrations.AddField("shelf", "newest", models.ForeignKey("library.book", models.PROTECT, null=True, related_name="+")),
        migrations.AddField("book", "title", models.CharField(max_length=20, default="")),
        migrations.AddIndex("book", models.Index(fields=["title"], name="by_title")),
        migrations.AddConstraint("book", models.UniqueConstraint(fields=["shelf", "title"], name="one_title_per_shelf")),
        migrations.AddConstraint("shelf", models.CheckConstraint(condition=~models.Q(name=""), name="shelf_is_named")),
    ]


def database() -> BaseDatabaseWrapper:
    return ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})["default"]


def migrate(connection: BaseDatabaseWrapper, operations: list[Operation], *, back: bool = False) -> ProjectState:
    migration = type("Migration", (migrations.Migration,), {"operations": operations})("0001_first", "library")
    with connection.schema_editor() as editor:
        if back:
            return migration.unapply(ProjectState(), editor)  # type: ignore[no-any-return]
        return migration.apply(ProjectState(), editor)  # type: ignore[no-any-return]


def shape(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """Table → its columns and its constraints and indexes, by what they are rather than by the order they were made in."""
    with connection.cursor() as cursor:
        return {
            table: (
                {column.name: column[1:] for column in connection.introspection.get_table_description(cursor, table)},
                sorted(
                    (tuple(found["columns"]), found["unique"], found["check"], found["foreign_key"] or (), name if "by_" in name else "")
                    for name, found in connection.introspection.get_constraints(cursor, table).items()
                ),
            )
            for table in connection.introspection.table_names(cursor)
        }


def test_the_tables_are_those_that_the_steps_would_make() -> None:
    slowly, at_once = database(), database()
    migrate(slowly, steps())
    migrate(at_once, [Together(steps())])
    assert set(shape(at_once)) == {"library_shelf", "library_book", "library_book_tags"}
    assert shape(at_once) == shape(slowly)


def test_the_state_is_the_one_after_the_last_step() -> None:
    slowly = migrate(database(), steps())
    at_once = migrate(database(), [Together(steps())])
    fields = [{key: list(model.fields) for key, model in state.models.items()} for state in (at_once, slowly)]
    assert fields[0] == fields[1]
    assert at_once.apps.get_model("library", "book")._meta.get_field("shelf").related_model is at_once.apps.get_model("library", "shelf")


def test_each_table_takes_one_statement() -> None:
    with database().schema_editor(collect_sql=True) as editor:
        state = ProjectState()
        together = Together(steps())
        together.state_forwards("library", state)
        together.database_forwards("library", editor, ProjectState(), state)
    made = [line for line in editor.collected_sql if line.startswith(("CREATE TABLE", "ALTER TABLE"))]
    assert len(made) == 3
    assert together.describe() == "Create 2 tables"


def test_backwards_removes_the_tables() -> None:
    connection = database()
    migrate(connection, [Together(steps())])
    migrate(connection, [Together(steps())], back=True)
    assert shape(connection) == {}


@pytest.mark.parametrize(
    "step",
    [
        migrations.RunSQL("SELECT 1"),
        migrations.DeleteModel("Shelf"),
        migrations.AddIndex("elsewhere", models.Index(fields=["x"], name="x")),
    ],
)
def test_what_is_not_part_of_a_new_table_is_refused(step: Operation) -> None:
    with pytest.raises(ValueError, match="a migration of its own"):
        Together([*steps(), step])


def test_it_is_written_back_with_its_steps() -> None:
    text, _ = OperationWriter(Together(steps())).serialize()
    assert text.strip().startswith("config.portal.migrating.Together(")
    assert text.count("migrations.CreateModel(") == 2
