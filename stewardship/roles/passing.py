"""What joining a team or standing in for somebody may pass on: the same as may be given."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _

from stewardship.access import require
from stewardship.people.models import Membership, Team
from stewardship.people.passing import Passing
from stewardship.roles.apart import check_independent, check_separated, people_of
from stewardship.roles.errors import OwnSecondLine
from stewardship.roles.models import Role, RoleAssignment
from stewardship.roles.rights import AssignmentRight
from stewardship.roles.rules import Span


def check(passing: Passing) -> None:
    """Raises OwnSecondLine, DutiesNotSeparated, or Forbidden without the right to appoint the second line that is passed on.

    Whoever lets somebody stand in for themselves appoints nobody: then only the duties must stay apart.
    """
    actor, to = passing.actor, passing.to
    if actor.pk == to.pk and not actor.is_system:
        raise OwnSecondLine(_("Nobody passes on to themselves what others hold."), field="user", remedy=_("Ask somebody else to do it."))
    found = list(_passed_on(passing))
    # Whoever gives one of these roles at this moment waits, or would miss what is passed on here.
    list(Role.objects.select_for_update().filter(pk__in={row.role_id for row, _span in found}).order_by("pk"))
    for row, span in found:
        people = people_of(row.role, to, None, span.start, span.end) if isinstance(passing.giver, Team) else {to.pk}
        if row.role.second_line and actor.pk != passing.giver.pk:
            require(actor, AssignmentRight.ASSIGN_SECOND_LINE, row.scope)
            check_independent(actor, row.scope, people, span.start)
        check_separated(row.role, row.scope, people, span.start, span.end)


def _passed_on(passing: Passing) -> Iterator[tuple[RoleAssignment, Span]]:
    """The assignments that `to` would hold too, each with the time for which."""
    whole = Span(passing.starts, passing.ends)
    rows = RoleAssignment.objects.overlapping(whole.start, whole.end).select_related("role", "region", "family", "model")
    if isinstance(passing.giver, Team):
        given = [(row, whole) for row in rows.filter(team=passing.giver)]
    else:
        teams: dict[object, list[Span]] = {}
        for team, starts, ends in Membership.objects.filter(user=passing.giver).values_list("team_id", "starts", "ends"):
            both = Span(starts, ends).meet(whole)
            if both is not None:
                teams.setdefault(team, []).append(both)
        held = rows.filter(Q(user=passing.giver) | Q(team_id__in=list(teams)), role__delegable=True)
        given = [(row, span) for row in held for span in (teams[row.team_id] if row.team_id is not None else [whole])]
    for row, span in given:
        met = span.meet(Span(row.valid_from, row.valid_until))
        if met is not None:
            yield row, met
