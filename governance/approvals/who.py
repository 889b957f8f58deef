"""Who may decide on a change now, and why the others may not. Roles are asked late; nothing here is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext as _

from governance.approvals import rules
from governance.approvals.models import Decision, Requirement, Stage
from governance.approvals.rights import DecisionRight
from governance.changes.models import ChangeRequest, RollbackPlan, Status
from stewardship.access import allowed_to
from stewardship.journal.acting import moment
from stewardship.people.models import User
from stewardship.roles.holders import Holder, Roll, scope_path
from stewardship.roles.models import Role
from stewardship.roles.rules import ScopeKey


@dataclass(frozen=True)
class Panel:
    """The people of one requirement: who may decide, for whom they stand in, and who may not and why."""

    able: dict[UUID, User] = field(default_factory=dict)
    acting_for: dict[UUID, User | None] = field(default_factory=dict)
    barred: dict[UUID, tuple[User, rules.Bar]] = field(default_factory=dict)


def excluded(change: ChangeRequest) -> dict[UUID, str]:
    """Whoever made, asked for or answers for this never decides on it: person → reason."""
    found: dict[UUID, str] = {}
    version = change.version
    if version is not None and (committer := committer_of(version.committer)) is not None:
        found[committer.pk] = _("committed the version")
    for revision in change.revisions.all():
        found[revision.actor_id] = _("edited this change")
    found |= {person: _("edited this change") for person in editors([change.pk])[change.pk]}
    return found | asking(change)


def asking(change: ChangeRequest) -> dict[UUID, str]:
    """Those whom the change itself names: its owner, who drafted it, who submitted it."""
    found = {change.owner_id: _("became the owner of this change"), change.drafted_by_id: _("drafted this change")}
    if change.submitted_by_id is not None:
        found[change.submitted_by_id] = _("submitted this change")
    return found


def editors(changes: Iterable[UUID]) -> Mapping[UUID, set[UUID]]:
    """Who edited these changes or their rollback plans, drafts included; one query.

    An edit leaves the status as it was. A row with another status than the one before is a step, which those who decide take too.
    """
    wanted = list(changes)
    plans = RollbackPlan.history.filter(change_id__in=wanted).order_by().annotate(of=F("change_id"), stands=Value(""))
    rows = ChangeRequest.history.filter(id__in=wanted).order_by().annotate(of=F("id"), stands=F("status"))
    columns = ("of", "stands", "history_user_id", "history_id")
    found: dict[UUID, set[UUID]] = defaultdict(set)
    before: dict[UUID, str] = {}
    for change, stands, person, _row in rows.values_list(*columns).union(plans.values_list(*columns), all=True).order_by("history_id"):
        if not stands:
            found[change].add(person)
            continue
        if before.get(change) == stands:
            found[change].add(person)
        before[change] = stands
    return found


def address_of(name: str) -> str:
    """What identifies an account in what CI writes: the address of `Name <address>`, otherwise all of it."""
    bare = name.strip()
    return bare[bare.index("<") + 1 : bare.rindex(">")] if "<" in bare and bare.endswith(">") else bare


def committer_of(name: str) -> User | None:
    """The account behind a committer as CI writes it: a username, an address, or `Name <address>`."""
    address = address_of(name)
    if not address:
        return None
    by_name = Case(When(username__iexact=address, then=0), default=1)  # who is called so before who is reached there
    found: User | None = User.objects.filter(Q(username__iexact=address) | Q(email__iexact=address)).order_by(by_name, "pk").first()
    return found


def panels(
    wanted: Sequence[tuple[Role, str]], change: ChangeRequest, barred: dict[UUID, str], at: datetime, roll: Roll | None = None
) -> list[Panel]:
    """Who holds each role at its scope of a change now, after separation of duties; all read together unless `roll` has them."""
    paths = {scope: path_of(rules.Scope(scope), change) for _role, scope in wanted}
    roll = roll or Roll({role for role, _scope in wanted}, at, paths=paths.values())
    return [_panel(role, roll.held(role, paths[scope]), barred) for role, scope in wanted]


def _panel(role: Role, found: Sequence[Holder], barred: dict[UUID, str]) -> Panel:
    people = {holder.user.pk: holder.user for holder in found}
    stands = {holder.acting_for.pk: holder.acting_for for holder in found if holder.acting_for is not None}
    able, out = rules.separate(
        [rules.Eligible(holder.user.pk, holder.acting_for.pk if holder.acting_for else None) for holder in found],
        excluded=barred,
        own_only=role.second_line,
    )
    return Panel(
        able={each.person: people[each.person] for each in able},
        acting_for={each.person: stands.get(each.acting_for) if each.acting_for else None for each in able},
        barred={person: (people[person], why) for person, why in out.items()},
    )


def path_of(scope: rules.Scope, change: ChangeRequest) -> list[ScopeKey]:
    """Where a requirement of this scope is asked: up from the model, up from the region of the change, or at the root alone."""
    if scope is rules.Scope.MODEL:
        return scope_path(change.model, None)
    path = scope_path(None, change.region)
    return path if scope is rules.Scope.REGION else path[-1:]


@dataclass(frozen=True)
class Seat:
    """One requirement of a stage with its people and what has been decided on it."""

    requirement: Requirement
    panel: Panel
    decisions: tuple[Decision, ...]

    @property
    def open(self) -> int:
        """Approvals still wanted."""
        return max(0, self.requirement.quorum - sum(each.outcome == rules.Outcome.APPROVE for each in self.decisions))


def seats(
    stage: Stage,
    change: ChangeRequest,
    at: datetime | None = None,
    *,
    decisions: Sequence[Decision] | None = None,
    requirements: Sequence[Requirement] | None = None,
    barred: Mapping[UUID, str] | None = None,
    roll: Roll | None = None,
) -> list[Seat]:
    """The requirements of a stage with who may still decide on each; whoever has decided in this stage is not asked again.

    Nor is who agreed in an earlier stage, or for whom somebody did: the next stage is other eyes, unless the route says otherwise.

    A caller that has read the decisions of the route, the requirements of its route, who is excluded, or who holds the roles
    already may pass them.
    """
    when = at or moment()
    out = excluded(change) if barred is None else dict(barred)
    if decisions is None:
        decisions = list(Decision.objects.filter(stage__route=stage.route_id).select_related("person", "signature", "acting_for"))
    if requirements is None:
        requirements = list(stage.requirements.select_related("role").order_by("role__name", "pk"))
    standing = [each for each in decisions if each.digest == change.content_digest]
    if not stage.same_people:
        earlier = [each for each in standing if each.stage_id != stage.pk and each.outcome == rules.Outcome.APPROVE]
        agreed = {person for each in earlier for person in (each.person_id, each.acting_for_id) if person is not None}
        out = dict.fromkeys(agreed, _("agreed in an earlier stage")) | out
    decided = [each for each in standing if each.stage_id == stage.pk]
    out |= {each.person_id: _("have decided in this stage") for each in decided}
    wanted = [each for each in requirements if each.stage_id == stage.pk]
    found = panels([(each.role, each.scope) for each in wanted], change, out, when, roll)
    return [
        Seat(requirement, people, tuple(each for each in decided if each.requirement_id == requirement.pk))
        for requirement, people in zip(wanted, found, strict=True)
    ]


def active_stage(change: ChangeRequest) -> Stage | None:
    """The stage that is being asked now."""
    return (
        Stage.objects.filter(route__change=change, route__revision=change.revision, status=Stage.Status.ACTIVE)
        .select_related("route")
        .first()
    )


def may_decide(user: User, change: ChangeRequest, at: datetime | None = None) -> list[Requirement]:
    """The requirements this person could count for now; empty when none."""
    stage = active_stage(change) if change.status == Status.SUBMITTED else None
    if stage is None or not allowed_to(user, DecisionRight.MAKE, change):
        return []
    return [seat.requirement for seat in seats(stage, change, at) if seat.open and user.pk in seat.panel.able]


def why_not(user: User, change: ChangeRequest, found: Sequence[Seat], *, may: bool | None = None) -> str:
    """In words, why this person cannot decide now; empty when they can. `may`: whether they hold the right, where that is known."""
    if change.status != Status.SUBMITTED:
        return _("%(reference)s is %(status)s; nothing is being decided.") % {
            "reference": change.reference,
            "status": change.get_status_display().lower(),
        }
    for seat in found:
        if user.pk in seat.panel.barred:
            return _worded(seat.panel.barred[user.pk][1])
    mine = [seat for seat in found if user.pk in seat.panel.able]
    if not mine:
        asked = ", ".join(str(seat.requirement.role) for seat in found if seat.open)
        return _("You are not asked in this stage; it waits for: %(roles)s.") % {"roles": asked or _("nobody")}
    if not any(seat.open for seat in mine):
        return _("Enough people of your role have decided.")
    if not (allowed_to(user, DecisionRight.MAKE, change) if may is None else may):
        return _("Your role is asked, but it does not carry the right to decide; ask whoever configures decision rights.")
    return ""


def _worded(bar: rules.Bar) -> str:
    if not bar.standing_in:
        return _("You %(did)s, so you do not decide on it.") % {"did": bar.reason}
    if bar.reason:
        return _("You stand in for somebody who %(did)s, so you do not decide on it.") % {"did": bar.reason}
    return _("You stand in for somebody, and this role cannot be delegated.")
