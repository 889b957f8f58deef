"""One body from a monitoring service, all the way: stored, judged, and turned into alerts in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import translation

from monitoring.alerts import external, judged
from monitoring.signals import ingest, quarantine
from monitoring.signals.ingest import Receipt
from monitoring.thresholds.evaluate import evaluate
from stewardship.journal.acting import acting, moment

if TYPE_CHECKING:
    from monitoring.alerts.models import Alert
    from monitoring.signals.models import Quarantined, Source
    from stewardship.people.models import User


def receive(*, source: Source, body: bytes, content_type: str, actor: User) -> Receipt:
    """Ingest, evaluate the touched series, open, raise and end alerts. Sent twice, it happens once.

    Raises what `ingest` raises; then nothing was stored.
    """
    with transaction.atomic():
        receipt = ingest.ingest(source=source, body=body, content_type=content_type, actor=actor)
        _follow_up(receipt, actor=actor)
    return receipt


def place(item: Quarantined, *, actor: User, corrections: dict[str, str] | None = None, reason: str = "") -> Receipt:
    """Resolve a fact in quarantine and judge it like any other; raises what `quarantine.resolve` raises."""
    with transaction.atomic():
        receipt = quarantine.resolve(item, actor=actor, corrections=corrections, reason=reason)
        _follow_up(receipt, actor=actor)
    return receipt


def _follow_up(receipt: Receipt, *, actor: User) -> Sequence[Alert]:
    if receipt.batch is None:
        return []
    with translation.override("en"), acting(actor):  # titles and labels stay, for readers of every language
        found: list[Alert] = []
        if receipt.series:
            for outcome in evaluate(receipt.series, receipt.batch, moment()):
                found += judged.follow(outcome, actor=actor)
        if receipt.verdicts:
            found += external.follow(receipt.verdicts, actor=actor)
    return found
