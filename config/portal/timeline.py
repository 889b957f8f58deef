"""What happened, in one line per event; quiet ones are folded together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import ngettext

Text = str | Promise
ENOUGH_TO_FOLD = 3


@dataclass(frozen=True)
class Item:
    """One event: who did what to what, when. `kind` picks the icon; `quiet` ones may be folded."""

    at: datetime
    kind: str
    actor: str
    verb: Text
    object_label: Text = ""
    url: str = ""
    detail: Text = ""
    quiet: bool = False
    tone: str = "neutral"
    anchor: str = ""


@dataclass(frozen=True)
class Group:
    """One item, or several quiet neighbours under one line."""

    items: tuple[Item, ...]

    @property
    def folded(self) -> bool:
        return len(self.items) > 1

    @property
    def first(self) -> Item:
        return self.items[0]

    @property
    def summary(self) -> str:
        """What the folded line says."""
        return ngettext("%(n)d quiet event", "%(n)d quiet events", len(self.items)) % {"n": len(self.items)}


def grouped(items: Iterable[Item]) -> list[Group]:
    """The items in the given order; three or more quiet ones of one kind in a row become one group."""
    groups: list[Group] = []
    run: list[Item] = []

    def close() -> None:
        if len(run) >= ENOUGH_TO_FOLD:
            groups.append(Group(tuple(run)))
        else:
            groups.extend(Group((item,)) for item in run)
        run.clear()

    for item in items:
        if run and not (item.quiet and item.kind == run[0].kind):
            close()
        if item.quiet:
            run.append(item)
        else:
            groups.append(Group((item,)))
    close()
    return groups


def kinds(items: Iterable[Item]) -> list[str]:
    """The kinds that occur, for the filter."""
    return sorted({item.kind for item in items})
