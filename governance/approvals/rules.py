"""Pure rules of agreement: reading stages, choosing a route, separating duties, counting quorums. No ORM, no clock."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from governance.approvals.errors import BadStages

Person = TypeVar("Person", bound=Hashable)
Key = TypeVar("Key", bound=Hashable)


class Scope(StrEnum):
    """Where a role is looked for: on the model and upwards, on the region of the change and upwards, or at the root."""

    MODEL = "model"
    REGION = "region"
    ROOT = "root"


class Outcome(StrEnum):
    """What a person decides."""

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"


class Progress(StrEnum):
    """Where a stage stands."""

    WAITING = "waiting"
    AGREED = "agreed"
    RETURNED = "returned"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Wanted:
    """One requirement of a stage: so many holders of a role at a scope, within working minutes of the stage's start."""

    role: str
    scope: Scope
    quorum: int
    within_minutes: int


@dataclass(frozen=True)
class StageSpec:
    """One stage; its requirements are asked at the same time. `same_people`: who agreed before may agree here again."""

    name: str
    requirements: tuple[Wanted, ...]
    same_people: bool = False


# --- reading what an administrator wrote --------------------------------------------------------


def read_stages(document: Any, *, human: bool = True) -> tuple[StageSpec, ...]:
    """The stages of a rule; raises BadStages naming the place, e.g. `stages[0].requirements[1].quorum`."""
    if not isinstance(document, list):
        raise BadStages(_("Stages are a list."), field="stages", remedy=_('Write [{"name": "…", "requirements": [{"role": "…"}]}].'))
    if human and not document:
        raise BadStages(_("A route needs at least one stage."), field="stages", remedy=_("Add a stage, or say that no person decides."))
    if not human and document:
        raise BadStages(_("A route without people has no stages."), field="stages", remedy=_("Empty the list, or let people decide."))
    return tuple(_stage(item, f"stages[{index}]") for index, item in enumerate(document))


def _stage(item: Any, place: str) -> StageSpec:
    fields = _mapping(item, place, {"name", "requirements", "same_people"})
    name = fields.get("name")
    if not isinstance(name, str) or not name.strip():
        raise BadStages(_("A stage has a name."), field=f"{place}.name", remedy=_("Say what this stage looks at."))
    wanted = fields.get("requirements")
    if not isinstance(wanted, list) or not wanted:
        raise BadStages(_("A stage asks at least one role."), field=f"{place}.requirements", remedy=_('Add {"role": "…"}.'))
    again = fields.get("same_people", False)
    if not isinstance(again, bool):
        raise BadStages(_("same_people is true or false."), field=f"{place}.same_people", remedy=_("Write true, or leave it out."))
    return StageSpec(name.strip(), tuple(_requirement(each, f"{place}.requirements[{i}]") for i, each in enumerate(wanted)), again)


def _requirement(item: Any, place: str) -> Wanted:
    fields = _mapping(item, place, {"role", "scope", "quorum", "within_minutes"})
    role, scope = fields.get("role"), fields.get("scope", Scope.MODEL.value)
    if not isinstance(role, str) or not role:
        raise BadStages(_("A requirement names a role."), field=f"{place}.role", remedy=_("Write the short name of a role."))
    if scope not in set(Scope):
        raise BadStages(_("%(scope)r is not a scope.") % {"scope": scope}, field=f"{place}.scope", remedy=_("Write model, region or root."))
    return Wanted(role, Scope(scope), _whole(fields, "quorum", 1, place), _whole(fields, "within_minutes", 0, place))


def _mapping(item: Any, place: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BadStages(
            _("This must be an object with named fields."),
            field=place,
            remedy=_("Known are %(names)s.") % {"names": ", ".join(sorted(known))},
        )
    for name in item:
        if name not in known:
            raise BadStages(
                _("%(name)r is not known here.") % {"name": name},
                field=f"{place}.{name}",
                remedy=_("Known are %(names)s.") % {"names": ", ".join(sorted(known))},
            )
    return item


def _whole(fields: dict[str, Any], name: str, least: int, place: str) -> int:
    value = fields.get(name, least)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadStages(
            _("%(name)s is a whole number, at least %(least)d.") % {"name": name, "least": least},
            field=f"{place}.{name}",
            remedy=_("Write %(least)d or more.") % {"least": least},
        )
    return value


# --- choosing the route -------------------------------------------------------------------------


class Known(StrEnum):
    """Why a rule was passed over."""

    NOT_MET = gettext_noop("not met")
    NOT_KNOWN = gettext_noop("not known")


@dataclass(frozen=True)
class Candidate(Generic[Key]):
    """A configured rule as the choice sees it; `distance` is 0 for the region itself and grows towards the root."""

    key: Key
    name: str
    distance: int
    priority: int
    when: str


@dataclass(frozen=True)
class Choice(Generic[Key]):
    """The rule chosen, and what was said about each one that was considered before it.

    `stopped_by`: the rule at which the choice ended without an answer, because nobody can say whether it applies.
    """

    chosen: Candidate[Key] | None
    considered: tuple[tuple[Candidate[Key], Known], ...]
    stopped_by: Candidate[Key] | None = None


def choose(candidates: Iterable[Candidate[Key]], holds: Callable[[str], bool | None]) -> Choice[Key]:
    """Nearest region first, then highest priority, then name.

    A condition that is not known ends the choice: passed over, it would hand the change to a rule that may be milder.
    `holds(when)` answers True, False, or None when the facts it needs are missing.
    """
    considered: list[tuple[Candidate[Key], Known]] = []
    for candidate in sorted(candidates, key=lambda each: (each.distance, -each.priority, each.name)):
        answer = True if not candidate.when.strip() else holds(candidate.when)
        if answer:
            return Choice(candidate, tuple(considered))
        considered.append((candidate, Known.NOT_MET if answer is False else Known.NOT_KNOWN))
        if answer is None:
            return Choice(None, tuple(considered), candidate)
    return Choice(None, tuple(considered))


# --- separation of duties -----------------------------------------------------------------------


@dataclass(frozen=True)
class Eligible(Generic[Person]):
    """Somebody who holds a role now: who, and for whom they stand in."""

    person: Person
    acting_for: Person | None = None


@dataclass(frozen=True)
class Bar:
    """Why somebody who holds the role may not decide: what they did, or what the person they stand in for did.

    `reason` is empty where standing in for somebody is itself the reason.
    """

    reason: str
    standing_in: bool = False


def separate(
    found: Sequence[Eligible[Person]], *, excluded: Mapping[Person, str], own_only: bool
) -> tuple[tuple[Eligible[Person], ...], dict[Person, Bar]]:
    """Those who may decide, and why each of the others may not.

    `excluded` maps a person to the reason (submitted it, drafted it, committed the version); a delegate inherits
    every exclusion of the person they stand in for. `own_only` (second line): standing in gives no eligibility.
    """
    able: dict[Person, Eligible[Person]] = {}
    barred: dict[Person, Bar] = {}
    for each in found:
        if each.person in excluded:
            barred[each.person] = Bar(excluded[each.person])
        elif each.acting_for is not None and each.acting_for in excluded:
            barred.setdefault(each.person, Bar(excluded[each.acting_for], standing_in=True))
        elif each.acting_for is not None and own_only:
            barred.setdefault(each.person, Bar("", standing_in=True))
        elif each.person not in able or able[each.person].acting_for is not None:
            able[each.person] = each  # one's own assignment beats standing in
    return tuple(able.values()), {person: why for person, why in barred.items() if person not in able}


# --- counting -----------------------------------------------------------------------------------


def can_be_met(seats: Sequence[tuple[int, frozenset[Person]]]) -> bool:
    """True when distinct people can fill every requirement of a stage: (seats still open, people who may take one) each.

    One person fills one seat of a stage; this is a bipartite matching, found by augmenting paths.
    """
    open_seats = [(index, people) for index, (count, people) in enumerate(seats) for _seat in range(count)]
    taken: dict[Person, int] = {}

    def place(seat: int, tried: set[Person]) -> bool:
        for person in open_seats[seat][1]:
            if person in tried:
                continue
            tried.add(person)
            if person not in taken or place(taken[person], tried):
                taken[person] = seat
                return True
        return False

    return all(place(seat, set()) for seat in range(len(open_seats)))


def seat_for(person: Person, seats: Sequence[tuple[int, frozenset[Person]]]) -> int | None:
    """The requirement this person should count for, so that the others can still be met; None when they can take none.

    Where no choice leaves the rest possible, the first open one is taken: a vacancy is not this person's fault.
    """
    mine = [index for index, (count, people) in enumerate(seats) if count > 0 and person in people]
    for index in mine:
        rest = [(count - (position == index), people - {person}) for position, (count, people) in enumerate(seats)]
        if can_be_met(rest):
            return index
    return mine[0] if mine else None


def progress(quorums: Mapping[Key, int], decisions: Iterable[tuple[Key, Outcome]]) -> Progress:
    """Where a stage stands: `quorums` is requirement → seats, `decisions` are (requirement, outcome).

    Reject wins over return, and return over any number of approvals: contradictory decisions are never averaged.
    """
    approvals = dict.fromkeys(quorums, 0)
    outcomes: set[Outcome] = set()
    for requirement, outcome in decisions:
        outcomes.add(outcome)
        if outcome is Outcome.APPROVE:
            approvals[requirement] += 1
    if Outcome.REJECT in outcomes:
        return Progress.REJECTED
    if Outcome.RETURN in outcomes:
        return Progress.RETURNED
    return Progress.AGREED if all(approvals[key] >= quorum for key, quorum in quorums.items()) else Progress.WAITING
