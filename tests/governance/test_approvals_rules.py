"""Choosing a route, separating duties and counting, without a database."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.approvals import rules
from governance.approvals.errors import BadStages
from governance.approvals.rules import Bar, Candidate, Eligible, Outcome, Progress, Scope

ROLE = {"role": "validator"}


def candidate(name: str, distance: int, priority: int = 0, when: str = "") -> Candidate[str]:
    return Candidate(name, name, distance, priority, when)


def test_stages_are_read_with_defaults() -> None:
    (stage,) = rules.read_stages(
        [{"name": " Risk ", "requirements": [ROLE, {"role": "x", "scope": "root", "quorum": 2, "within_minutes": 60}]}]
    )
    assert stage.name == "Risk"
    assert stage.requirements[0] == rules.Wanted("validator", Scope.MODEL, 1, 0)
    assert stage.requirements[1] == rules.Wanted("x", Scope.ROOT, 2, 60)


@pytest.mark.parametrize(
    ("document", "human", "place"),
    [
        ({}, True, "stages"),
        ([], True, "stages"),
        ([{"name": "A", "requirements": [ROLE]}], False, "stages"),
        (["A"], True, "stages[0]"),
        ([{"name": "", "requirements": [ROLE]}], True, "stages[0].name"),
        ([{"name": 3, "requirements": [ROLE]}], True, "stages[0].name"),
        ([{"name": "A"}], True, "stages[0].requirements"),
        ([{"name": "A", "requirements": []}], True, "stages[0].requirements"),
        ([{"name": "A", "requirements": [ROLE], "who": 1}], True, "stages[0].who"),
        ([{"name": "A", "requirements": [ROLE], "same_people": 1}], True, "stages[0].same_people"),
        ([{"name": "A", "requirements": [{}]}], True, "stages[0].requirements[0].role"),
        ([{"name": "A", "requirements": [ROLE, {"role": "x", "scope": "moon"}]}], True, "stages[0].requirements[1].scope"),
        ([{"name": "A", "requirements": [{"role": "x", "quorum": 0}]}], True, "stages[0].requirements[0].quorum"),
        ([{"name": "A", "requirements": [{"role": "x", "quorum": True}]}], True, "stages[0].requirements[0].quorum"),
        ([{"name": "A", "requirements": [{"role": "x", "within_minutes": "60"}]}], True, "stages[0].requirements[0].within_minutes"),
    ],
)
def test_unreadable_stages_name_the_place(document: object, human: bool, place: str) -> None:
    with pytest.raises(BadStages) as refused:
        rules.read_stages(document, human=human)
    assert refused.value.field == place
    assert refused.value.remedy


def test_a_route_without_people_has_no_stages() -> None:
    assert rules.read_stages([], human=False) == ()


def test_the_nearest_region_beats_any_priority_farther_up() -> None:
    choice = rules.choose([candidate("root", 2, 99), candidate("here", 0), candidate("between", 1, 5)], lambda when: True)
    assert choice.chosen is not None
    assert choice.chosen.name == "here"


def test_a_condition_not_met_is_passed_over_and_reported() -> None:
    answers = {"no": False, "yes": True, "perhaps": None}
    found = [candidate("a", 0, 9, "no"), candidate("c", 1, 0, "yes"), candidate("d", 2, 0, "perhaps")]
    choice = rules.choose(found, lambda when: answers[when])
    assert choice.chosen is not None
    assert choice.chosen.name == "c"
    assert [(each.name, why) for each, why in choice.considered] == [("a", "not met")]


def test_a_condition_not_known_hands_nothing_to_a_later_rule() -> None:
    answers = {"no": False, "perhaps": None, "yes": True}
    found = [candidate("a", 0, 9, "no"), candidate("b", 0, 5, "perhaps"), candidate("c", 1, 0, "yes"), candidate("d", 2)]
    choice = rules.choose(found, lambda when: answers[when])
    assert choice.chosen is None
    assert choice.stopped_by == found[1]
    assert [(each.name, why) for each, why in choice.considered] == [("a", "not met"), ("b", "not known")]


def test_without_any_rule_nothing_is_chosen() -> None:
    assert rules.choose([], lambda when: True).chosen is None
    assert rules.choose([candidate("a", 0, 0, "x")], lambda when: None).chosen is None


def test_the_submitter_never_decides() -> None:
    able, barred = rules.separate([Eligible("a"), Eligible("b")], excluded={"a": "submitted it"}, own_only=False)
    assert able == (Eligible("b"),)
    assert barred == {"a": Bar("submitted it")}


def test_a_delegate_inherits_the_exclusion_of_the_person_they_stand_in_for() -> None:
    able, barred = rules.separate([Eligible("d", acting_for="a")], excluded={"a": "drafted it"}, own_only=False)
    assert able == ()
    assert barred == {"d": Bar("drafted it", standing_in=True)}


def test_standing_in_gives_no_eligibility_for_the_second_line() -> None:
    able, barred = rules.separate([Eligible("d", acting_for="a"), Eligible("b")], excluded={}, own_only=True)
    assert able == (Eligible("b"),)
    assert barred["d"] == Bar("", standing_in=True)


def test_ones_own_assignment_beats_standing_in() -> None:
    for order in permutations([Eligible("d", acting_for="a"), Eligible("d"), Eligible("d", acting_for="z")]):
        able, barred = rules.separate(order, excluded={"z": "drafted it"}, own_only=True)
        assert able == (Eligible("d"),)
        assert barred == {}


def test_distinct_people_must_fill_every_seat() -> None:
    assert rules.can_be_met([(1, frozenset("ab")), (1, frozenset("a"))])
    assert not rules.can_be_met([(1, frozenset("a")), (1, frozenset("a"))])
    assert not rules.can_be_met([(2, frozenset("a"))])
    assert rules.can_be_met([])


def test_a_person_takes_the_seat_that_leaves_the_rest_possible() -> None:
    # b can only take the first, so a must take the second although the first is open too.
    assert rules.seat_for("a", [(1, frozenset("ab")), (1, frozenset("a"))]) == 1
    assert rules.seat_for("b", [(1, frozenset("ab")), (1, frozenset("a"))]) == 0
    assert rules.seat_for("c", [(1, frozenset("ab"))]) is None
    assert rules.seat_for("a", [(0, frozenset("a")), (1, frozenset("a"))]) == 1
    assert rules.seat_for("a", [(0, frozenset("a"))]) is None
    # Nothing leaves the rest possible: the first open one is taken.
    assert rules.seat_for("a", [(1, frozenset("a")), (1, frozenset("a"))]) == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.frozensets(st.sampled_from("abcd"))), max_size=4))
def test_matching_agrees_with_trying_every_seating(seats: list[tuple[int, frozenset[str]]]) -> None:
    wanted = [people for count, people in seats for _seat in range(count)]
    naive = any(
        all(person in people for person, people in zip(seating, wanted, strict=True)) for seating in permutations("abcd", len(wanted))
    )
    assert rules.can_be_met(seats) == naive


@given(st.lists(st.tuples(st.integers(0, 2), st.frozensets(st.sampled_from("abcd"))), min_size=1, max_size=3))
def test_whoever_decides_in_turn_the_stage_can_still_be_met(seats: list[tuple[int, frozenset[str]]]) -> None:
    if not rules.can_be_met(seats):
        return
    for person in sorted({person for _count, people in seats for person in people}):
        seat = rules.seat_for(person, seats)
        if seat is None or rules.can_be_met([(count, people - {person}) for count, people in seats]):
            continue  # not needed, so nothing can be spoilt
        seats = [(count - (index == seat), people - {person}) for index, (count, people) in enumerate(seats)]
        assert rules.can_be_met(seats)


QUORUMS = {"r1": 2, "r2": 1}


@pytest.mark.parametrize(
    ("decisions", "stands"),
    [
        ([], Progress.WAITING),
        ([("r1", Outcome.APPROVE), ("r2", Outcome.APPROVE)], Progress.WAITING),
        ([("r1", Outcome.APPROVE), ("r1", Outcome.APPROVE), ("r2", Outcome.APPROVE)], Progress.AGREED),
        ([("r1", Outcome.APPROVE), ("r1", Outcome.RETURN), ("r2", Outcome.APPROVE)], Progress.RETURNED),
        ([("r1", Outcome.RETURN), ("r2", Outcome.REJECT)], Progress.REJECTED),
        ([("r1", Outcome.APPROVE), ("r1", Outcome.APPROVE), ("r2", Outcome.REJECT)], Progress.REJECTED),
    ],
)
def test_a_stage_counts_and_reject_wins(decisions: list[tuple[str, Outcome]], stands: Progress) -> None:
    for order in permutations(decisions):
        assert rules.progress(QUORUMS, order) is stands


def test_holding_a_role_twice_is_one_person() -> None:
    able, _barred = rules.separate([Eligible("d"), Eligible("d"), Eligible("d", acting_for="z")], excluded={}, own_only=False)
    assert able == (Eligible("d"),)
