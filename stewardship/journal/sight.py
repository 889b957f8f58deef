"""Which entries a person may see: those of what they may see, and all of them where they audit from the root."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext as _

from config.portal.permission import reach
from config.portal.unions import plain, present
from stewardship.journal.errors import UnknownRecord
from stewardship.journal.models import Entry
from stewardship.journal.rights import EntryRight
from stewardship.journal.tables import Shape, by_table


def visible(user: Any, entries: Iterable[Entry]) -> list[Entry]:
    """The entries among these that the person may see, in the given order; one query for every 20 tables."""
    given = list(entries)
    if reach(user, EntryRight.VIEW).everywhere:
        return given
    grouped: dict[str, list[Entry]] = defaultdict(list)
    for entry in given:
        grouped[entry.tbl].append(entry)
    # Schema leaves, and tables of other versions, are no noun's: those are for auditors.
    seen = present(
        {
            table: allowed(user, by_table()[table].noun).filter(pk__in={_key(entry) for entry in some})
            for table, some in grouped.items()
            if table in by_table()
        }
    )
    return [entry for entry in given if (entry.tbl, plain(_key(entry))) in seen]


def _key(entry: Entry) -> str:
    shape = by_table().get(entry.tbl)
    return entry.hid if shape is None or shape.kind == "fact" else entry.obj


def allowed(user: Any, model: type[Model]) -> Any:
    """The rows of a governed model that the person may see; none where the model does not say which right that takes."""
    manager: Any = model._default_manager
    right = getattr(model, "view_right", "")
    return manager.allowed(user, str(right)) if right and hasattr(manager, "allowed") else manager.none()


def governed(label: str) -> tuple[type[Model], Shape]:
    """The model and table behind `app.model`; raises UnknownRecord."""
    for shape in by_table().values():
        if shape.noun._meta.label_lower == label.lower():
            return shape.noun, shape
    known = label.lower() in {model._meta.label_lower for model in apps.get_models()}
    raise UnknownRecord(
        _("%(label)s keeps no history.") % {"label": label} if known else _("There is no %(label)s.") % {"label": label}, field="label"
    )
