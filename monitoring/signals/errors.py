"""What ingestion says when it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from config.portal.errors import Invalid


@dataclass(frozen=True)
class ItemError:
    """What is wrong with one fact of a body: its index (None: the body itself), the field, the reason."""

    index: int | None
    field: str
    message: str


class BodyRefused(Invalid):
    """Nothing of this body was stored; `items` says why, fact by fact."""

    def __init__(self, items: Sequence[ItemError], within: str = "signals") -> None:
        first = items[0]
        where = first.field if first.index is None else f"{within}[{first.index}].{first.field}".rstrip(".")
        more = _(" (%(count)d more)") % {"count": len(items) - 1} if len(items) > 1 else ""
        remedy = _("Correct the body and send all of it again; nothing was stored.")
        super().__init__(f"{where}: {first.message}{more}", field=where, remedy=remedy)
        self.items = tuple(items)

    @property
    def errors(self) -> list[dict[str, object]]:
        """The same as plain data, for problem details."""
        return [asdict(item) for item in self.items]


class UnknownSource(Invalid):
    """Nobody is registered to send under this name."""
