"""What an approval, and what carries it out, bring about at once, in the same transaction."""

from __future__ import annotations

from contextlib import suppress

from django.utils.translation import gettext as _

from governance.changes.models import ChangeRequest, Kind
from governance.policies.waive import grant
from stewardship.dossiers.errors import NoTemplate
from stewardship.dossiers.revise import hold, revise
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User, system_user


def provision(change: ChangeRequest, *, actor: User) -> None:
    """Grant the waiver that was asked for, or write the new state into the dossier."""
    because = _("%(reference)s was approved") % {"reference": change.reference}
    if change.kind == Kind.WAIVER:
        assert change.waiver_until is not None  # a submission without an end is refused
        # The approvers decided; nobody needs a right of their own to write down what they agreed to.
        grant(
            actor=system_user(),
            model=change.model,
            region=change.region,
            rule=change.waived_rule,
            reason=f"{because}: {change.rationale}",
            compensating_control=change.compensating_control,
            expires_at=change.waiver_until,
            change_id=change.pk,
        )
        return
    write_down(change.model, because=because)


def hold_dossier(model: RegisteredModel) -> None:
    """Before anything else is locked, when `write_down` comes at the end of the same transaction."""
    with suppress(NoTemplate):
        hold(model)


def write_down(model: RegisteredModel, *, because: str) -> None:
    """The dossier says what the registry says now."""
    with suppress(NoTemplate):  # this region keeps no dossiers; policies say whether that is acceptable
        revise(model, actor=system_user(), reason=because)
