"""What people, roles and places were called as of the report's instant, so that a later renaming changes no report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from governance.audits.rows import Row, as_they_stood
from stewardship.people.models import User
from stewardship.regions.models import Region

TITLES = ("full_name", "title", "name", "label", "rule", "kind", "username", "slug")


def title_of(row: Any) -> str:
    """How a row calls itself, without asking any other row."""
    number = getattr(row, "number", None)
    for name in TITLES:
        if value := getattr(row, name, ""):
            return f"CR-{number} {value}" if number and name == "title" else str(value)
    return ""


class Names:
    """Rows of other objects as they stood at one instant and one size of the journal, each compared with its leaf."""

    def __init__(self, rows: Iterable[Row], at: datetime, size: int, people: Iterable[UUID] = ()) -> None:
        self._rows: dict[str, Any] = {}
        wanted: dict[type[models.Model], set[UUID]] = defaultdict(set)
        wanted[User].update(people)
        wanted[Region].update(Region.objects.values_list("pk", flat=True))
        for one in rows:
            wanted[User].add(UUID(one.leaf["actor"]))
            for column in one.row._meta.concrete_fields:
                related = getattr(column, "related_model", None)
                value = getattr(one.row, column.attname)
                if related is not None and value is not None:
                    wanted[related].add(value)
            for reached in getattr(one.row, "reached", None) or ():
                wanted[User].add(UUID(reached["user"]))
        for model, ids in wanted.items():
            self._rows.update(as_they_stood(model, ids, at, size))

    def row(self, key: Any) -> Any:
        """The row as it stood, or None."""
        return self._rows.get(str(key)) if key else None

    def of(self, key: Any) -> str:
        """Its name; "unknown" when there was none yet."""
        if not key:
            return ""
        found = self.row(key)
        return title_of(found) if found is not None else _("unknown")

    def region_chain(self, region_id: Any) -> list[str]:
        """Ids from this region up to the root."""
        chain: list[str] = []
        while region_id and str(region_id) not in chain:
            chain.append(str(region_id))
            region_id = getattr(self.row(region_id), "parent_id", None)
        return chain
