"""What a person does about a fact that nobody could place: say what it meant, or dismiss it with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from config.portal.errors import IllegalTransition, Invalid
from monitoring.signals import store
from monitoring.signals.ingest import Receipt
from monitoring.signals.models import Quarantined
from monitoring.signals.models.quarantine import TRANSITIONS, Status
from monitoring.signals.neutral import Neutral
from monitoring.signals.place import Map, Unplaced
from monitoring.signals.rights import SourceRight
from stewardship.access import require
from stewardship.inventory.rights import ModelRight
from stewardship.journal.acting import acting, moment

if TYPE_CHECKING:
    from stewardship.people.models import User

# What a person may correct; the measured value and its window are the source's and stay as sent.
CORRECTABLE = ("model", "version", "environment", "region", "metric", "direction", "level")


def resolve(item: Quarantined, *, actor: User, corrections: dict[str, str] | None = None, reason: str = "") -> Receipt:
    """Place this fact, with corrected words or because what it names is known by now; raises Invalid while it is not."""
    require(actor, SourceRight.CONFIGURE, item.source)
    wrong = sorted(set(corrections or {}) - set(CORRECTABLE))
    if wrong:
        raise Invalid(_("%(field)s cannot be corrected.") % {"field": wrong[0]}, field=wrong[0], remedy=_("Correct names only."))
    with transaction.atomic(), acting(actor, reason or _("Placed by hand")):
        _lock(item, Status.PLACED)
        fact = msgspec.structs.replace(msgspec.convert(item.fact, Neutral), **(corrections or {}))
        now = moment()
        place = Map([fact], item.source.mapping or {}, actor, ModelRight.VIEW).place(fact)
        if isinstance(place, Unplaced):
            raise _still(place)
        series = store.find_series([(fact, place)], now)
        against = store.contradiction(fact, place, series)
        if against is not None:
            raise _still(against)
        touched, verdicts = store.write(item.source, item.batch, [(fact, place)], series, now)
        _decide(item, Status.PLACED)
    return Receipt(item.batch, received=1, accepted=1, series=frozenset(touched), verdicts=tuple(verdicts))


def _still(unplaced: Unplaced) -> Invalid:
    return Invalid(unplaced.problem, field=unplaced.field, remedy=_("Correct it, or register what it names first."))


def dismiss(item: Quarantined, *, actor: User, reason: str) -> None:
    """Set it aside for good; the reason is kept beside the fact."""
    require(actor, SourceRight.CONFIGURE, item.source)
    if not reason.strip():
        raise Invalid(_("Say why this fact does not count."), field="reason", remedy=_("One sentence is enough."))
    with transaction.atomic(), acting(actor, reason):
        _lock(item, Status.DISMISSED)
        _decide(item, Status.DISMISSED)


def _lock(item: Quarantined, to: Status) -> None:
    item.refresh_from_db(from_queryset=Quarantined.objects.select_for_update(of=("self",)).select_related("source", "batch"))
    if to not in TRANSITIONS.get(Status(item.status), frozenset()):
        raise IllegalTransition(item.get_status_display(), str(to.label), remedy=_("Somebody has decided about it already."))


def _decide(item: Quarantined, to: Status) -> None:
    item.status = to
    item.decided_at = moment()
    item.save(update_fields=["status", "decided_at"])
