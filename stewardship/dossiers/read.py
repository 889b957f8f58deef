"""A revision as people read it: sections in order, names looked up, what lacks or is stale marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from stewardship.dossiers import rules
from stewardship.dossiers.models import Dossier, Revision, Template
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User

COLUMNS = ("name", "value", "n", "low", "high", "worst")


@dataclass(frozen=True)
class Block:
    """One block: its value as the template's kind needs it, and where it came from."""

    address: str
    title: str
    kind: str
    help: str
    value: Any
    is_written: bool
    edited_at: datetime | None
    edited_by: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not rules.text_of(self.value).strip()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Facts, as label and text."""
        facts = self.value if isinstance(self.value, dict) else {}
        return [(str(key).replace("_", " "), rules.text_of(item).replace("\n", "; ")) for key, item in facts.items() if rules.text_of(item)]

    @property
    def lines(self) -> list[str]:
        """A list, or people, one line each."""
        return rules.text_of(self.value).split("\n") if not self.is_empty else []

    @property
    def columns(self) -> list[str]:
        """The columns that at least one metric fills."""
        return [column for column in COLUMNS if any(isinstance(row, dict) and row.get(column) is not None for row in self.value or [])]

    @property
    def rows(self) -> list[list[Any]]:
        """Metrics, one row each, in the order of `columns`."""
        return [[row.get(column) for column in self.columns] for row in self.value or [] if isinstance(row, dict)]


@dataclass(frozen=True)
class Section:
    """One section and how it stands: complete, missing, stale, or optional."""

    key: str
    title: str
    help: str
    state: str
    blocks: list[Block]


def dossier_of(model: RegisteredModel, slug: str = "") -> Dossier | None:
    """The dossier of this template; by default that of the region's main template, else the first there is."""
    dossiers = Dossier.objects.filter(model=model).select_related("template", "model").order_by("template__order", "slug")
    if slug:
        return dossiers.filter(slug=slug).first()
    main = next(iter(Template.objects.for_region(model.region)), "")
    return dossiers.filter(slug=main).first() or dossiers.first()


def read(revision: Revision, at: datetime | None = None) -> list[Section]:
    """The sections of a revision, judged for staleness at `at`; one query for the names of people."""
    found = revision.completeness(at)
    held = revision.content["blocks"]
    names = _names(held)
    sections: dict[str, Section] = {}
    for address, section, block in rules.blocks(revision.template.sections):
        if section["key"] not in sections:
            state = "missing" if section["title"] in found.missing else "stale" if section["title"] in found.stale else "complete"
            sections[section["key"]] = Section(section["key"], section["title"], section.get("help", ""), state, [])
        entry = held.get(address, {})
        edited = entry.get("edited_at")
        sections[section["key"]].blocks.append(
            Block(
                address=address,
                title=block["title"],
                kind=block["type"],
                help=block.get("help", ""),
                value=_people(entry.get("value"), names) if block["type"] == "people" else entry.get("value"),
                is_written=rules.is_written(block),
                edited_at=datetime.fromisoformat(edited) if edited else None,
                edited_by=names.get(entry.get("edited_by", ""), ""),
            )
        )
    return list(sections.values())


def _names(held: dict[str, Any]) -> dict[str, str]:
    ids = {entry["edited_by"] for entry in held.values() if entry.get("edited_by")}
    for entry in held.values():
        if isinstance(entry.get("value"), list):
            ids |= {row["user"] for row in entry["value"] if isinstance(row, dict) and "user" in row}
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=[UUID(one) for one in ids])}


def _people(value: Any, names: dict[str, str]) -> list[str]:
    rows = value if isinstance(value, list) else []
    return [f"{row['role_name']}: {names.get(row['user'], row['user'])}" for row in rows]
