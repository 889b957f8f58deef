"""How an answer of the gate looks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from config.portal.chips import Chip, Tone
from config.portal.templatetags.portal import absolute
from governance.changes.models import ChangeRequest, Status
from governance.gate import standing
from governance.gate.judge import Place
from governance.gate.models import Standing

TONES: dict[str, Tone] = {"allow": "good", "deny": "act", "undecided": "unknown"}


def chip_of(kept: Standing | None, *, holds: bool) -> Chip:
    """What the gate says. An answer past its time, or from before a fact changed, is not known any more, whatever it was."""
    if kept is None:
        return Chip(_("not known"), "unknown", title=_("The gate was not asked about this place since its facts last changed."))
    label, said = kept.get_verdict_display(), _("Computed %(when)s") % {"when": absolute(kept.computed_at)}
    if not holds:
        return Chip(_("was %(verdict)s") % {"verdict": label}, "unknown", title=said)
    return Chip(label, TONES[kept.verdict], title=said)


def place_of(change: ChangeRequest) -> Place | None:
    """Where a change that was agreed to puts its version; None for one that was not, or that moves no version."""
    if change.status not in (Status.APPROVED, Status.IMPLEMENTED) or change.version is None or change.environment is None:
        return None
    return Place(change.version, change.environment, change.region)


def gate_says(change: ChangeRequest, at: datetime) -> dict[str, Any] | None:
    """What the gate would answer about an agreed change without computing anything, and the way to have it computed."""
    place = place_of(change)
    if place is None:
        return None
    kept, holds = standing.kept(place, at)
    return {
        "verdict": kept.verdict if kept is not None and holds else "unknown",
        "chip": chip_of(kept, holds=holds),
        "kept": kept,
        "holds": holds,
        "reasons": kept.document["reasons"] if kept is not None and holds else [],
        "look": reverse("change_gate", args=[change.pk]),
    }
