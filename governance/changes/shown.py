"""How a change looks in lists and heads."""

from __future__ import annotations

from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext as _

from config.portal.chips import Chip, Tone
from config.portal.templatetags.portal import exact
from governance.changes.models import ChangeRequest
from governance.policies.errors import NotWaivable
from governance.policies.waive import named


def status_chip(change: ChangeRequest) -> Chip:
    """The status as a chip."""
    tone, icon = change.tone
    return Chip(change.get_status_display(), cast(Tone, tone), icon)


def where(change: ChangeRequest) -> str:
    """The place it is about: environment and region."""
    return f"{change.environment}, {change.region}" if change.environment else str(change.region)


def change_url(change: ChangeRequest) -> str:
    """Its page."""
    return change.get_absolute_url()


def what(row: Any) -> str:
    """Number and title."""
    return str(row)


def written_facts(change: ChangeRequest) -> list[tuple[str, Any]]:
    """What is asked for, as label and text; what is empty is left out."""
    rows = [
        (_("Why"), change.rationale),
        (_("Observed data shifts"), change.observed_shifts),
        (_("Policy considerations"), change.policy_considerations),
        (_("Ethical considerations"), change.ethical_considerations),
        (_("Trade-offs"), "\n".join(_lines(change.tradeoffs))),
        (_("Tests"), "\n".join(_lines(change.testing_protocol))),
        (_("Roll-out plan"), change.rollout_plan),
        (_("Release notes"), change.release_notes),
        (_("Rule to waive"), _rule(change)),
        (_("What protects people meanwhile"), change.compensating_control),
        (_("Waiver until"), exact(change.waiver_until) if change.waiver_until else None),
    ]
    return [(label, value) for label, value in rows if value]


def _rule(change: ChangeRequest) -> str:
    """What it says and how it is called, as of the submission; only the name where no such rule was in force."""
    if not change.waived_rule:
        return ""
    try:
        found = named(change.waived_rule, change.submitted_at or timezone.now())
    except NotWaivable:
        return change.waived_rule
    return f"{found.title}\n{found.name}"


def _lines(rows: Any) -> list[str]:
    return [", ".join(str(part) for part in row.values()) if isinstance(row, dict) else str(row) for row in rows or []]
