"""The checker: wrong schedules of every kind, each named for what is wrong with it, and right ones that pass."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from lti_tool.pairing.engine.check import verify
from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.problem import (
    Breach,
    Course,
    Kind,
    Lock,
    Proof,
    Reason,
    Schedule,
    Shape,
    Unpaired,
    Violation,
)
from lti_tool.pairing.engine.rules import NotAgain, Other, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph(Rule):
    """Only these couples may work together."""

    couples: tuple[tuple[int, int], ...]
    name = "graph"
    reads = ()

    def allows(self, people: People, one: Places, other: Places) -> Bools:
        listed = {frozenset(couple) for couple in self.couples}
        ids = people.ids
        pairs = zip(ids[one].tolist(), ids[other].tolist(), strict=True)
        return np.array([frozenset(pair) in listed for pair in pairs], dtype=np.bool_)


def graph(people: int, *couples: tuple[int, int], **values: object) -> Course:
    """People 1 … n who may only meet as listed."""
    return Course(tuple(range(1, people + 1)), rules=(Graph(couples=couples),), **values)


def alone(*people: int, reason: Reason = Reason.TOO_FEW_PARTNERS, number: int = 1) -> tuple[Unpaired, ...]:
    return tuple(Unpaired(one, number, reason) for one in people)


FOUR = Course((1, 2, 3, 4))
FIVE = Course((1, 2, 3, 4, 5))
STAR = graph(4, (1, 2), (1, 3), (1, 4))
"""1 is the only possible partner of the three others."""


@pytest.mark.parametrize(
    ("course", "groups"),
    [
        (Course(()), ()),
        (FOUR, ((1, 2), (3, 4))),
        (FIVE, ((1, 2), (3, 5, 4))),
        (Course((1, 2, 3)), ((1, 2, 3),)),
        (Course(tuple(range(1, 8)), shape=Shape(Kind.TRIOS, 3)), ((1, 2, 3), (4, 5, 6, 7))),
        (Course(tuple(range(1, 10)), shape=Shape(Kind.CIRCLES, 5)), ((1, 2, 3, 4, 5), (6, 7, 8, 9))),
        (Course(tuple(range(1, 6)), shape=Shape(Kind.RINGS, 4)), ((1, 2, 3, 4, 5),)),
        (Course((1, 2), shape=Shape(Kind.CIRCLES, 4)), ((1, 2),)),
    ],
)
def test_a_right_schedule_passes(course: Course, groups: tuple[tuple[int, ...], ...]) -> None:
    assert verify(course, Schedule((groups, groups))) == []


@pytest.mark.parametrize(
    ("course", "groups", "violation"),
    [
        (FOUR, ((1, 2),), Violation(Breach.MISSING, 1, (3,))),
        (FOUR, ((1, 2), (3, 4), (1, 4)), Violation(Breach.TWICE, 1, (1,))),
        (FOUR, ((1, 2), (3, 3), (4, 4)), Violation(Breach.TWICE, 1, (3,))),
        (FOUR, ((1, 2), (3, 4), (9, 8)), Violation(Breach.UNKNOWN, 1, (9,))),
        (FOUR, ((1, 2, 3, 4),), Violation(Breach.SIZE, 1, (1, 2, 3, 4))),
        (FOUR, ((1, 2), (3,), (4,)), Violation(Breach.SIZE, 1, (3,))),
        (FOUR, ((1, 2), (3, 4), ()), Violation(Breach.SIZE, 1, ())),
        (Course((1, 2, 3, 4, 5, 6)), ((1, 2, 3), (4, 5, 6)), Violation(Breach.TRIOS, 1, (1, 2, 3))),
        (
            Course(tuple(range(1, 10))),
            ((1, 2, 3), (4, 5, 6), (7, 8, 9)),
            Violation(Breach.TRIOS, 1, (4, 5, 6)),
        ),
        (
            Course((1, 2, 3, 4, 5), shape=Shape(Kind.TRIOS, 3)),
            ((1, 2, 3, 4, 5),),
            Violation(Breach.SIZE, 1, (1, 2, 3, 4, 5)),
        ),
        (STAR, ((1, 2), (3, 4)), Violation(Breach.RULE, 1, (3, 4), "graph")),
        (graph(3, (1, 2), (1, 3)), ((1, 2, 3),), Violation(Breach.RULE, 1, (2, 3), "graph")),
        (replace(FOUR, locks=(Lock((1, 3)),)), ((1, 2), (3, 4)), Violation(Breach.LOCK, 1, (1, 3))),
        (replace(FOUR, locks=(Lock((1, 3), 1),)), ((1, 2), (3, 4)), Violation(Breach.LOCK, 1, (1, 3))),
        (replace(FIVE, locks=(Lock((1, 2, 3)),)), ((1, 2), (3, 5, 4)), Violation(Breach.LOCK, 1, (1, 2, 3))),
    ],
)
def test_what_is_wrong_with_groups_is_named(
    course: Course, groups: tuple[tuple[int, ...], ...], violation: Violation
) -> None:
    assert violation in verify(course, Schedule((groups,)))


def test_somebody_who_is_in_a_group_and_unpaired_is_there_twice() -> None:
    schedule = Schedule((((1, 2), (3, 4)),), alone(4))

    assert Violation(Breach.TWICE, 1, (4,)) in verify(FOUR, schedule)


def test_somebody_unpaired_in_a_round_that_is_not_there_is_unknown() -> None:
    schedule = Schedule((((1, 2), (3, 4)),), alone(4, number=2))

    assert verify(FOUR, schedule) == [Violation(Breach.UNKNOWN, 2, (4,))]


def test_a_rule_by_attribute_is_checked_for_couples_in_every_group() -> None:
    course = replace(FIVE, attributes={"unit": {1: "a", 2: "b", 3: "b", 4: "c"}}, rules=(Other(attribute="unit"),))

    assert verify(course, Schedule((((1, 2), (3, 5, 4)),))) == []
    assert verify(course, Schedule((((1, 4), (2, 5, 3)),))) == [Violation(Breach.RULE, 1, (2, 3), "other:unit")]


def test_two_who_might_work_together_are_needlessly_unpaired() -> None:
    schedule = Schedule((((1, 2),),), alone(3, 4), proofs=(Proof(1, ()),))

    found = verify(FOUR, schedule)

    assert [one.people for one in found if one.breach is Breach.NEEDLESSLY_UNPAIRED] == [(3,), (4,)]
    assert Violation(Breach.PROOF, 1, ()) in found
    # Two parts of two people prove nothing.
    apart = verify(graph(4, (1, 2), (3, 4)), schedule)
    assert [one.breach for one in apart] == [Breach.PROOF, Breach.NEEDLESSLY_UNPAIRED, Breach.NEEDLESSLY_UNPAIRED]


def test_one_who_might_join_a_couple_is_needlessly_unpaired_while_there_is_no_trio() -> None:
    course = graph(5, (1, 2), (3, 4), (1, 5), (2, 5))

    assert Violation(Breach.NEEDLESSLY_UNPAIRED, 1, (5,)) in verify(course, Schedule((((1, 2), (3, 4)),), alone(5)))
    assert verify(course, Schedule((((1, 5, 2), (3, 4)),))) == []


def test_no_one_is_asked_to_make_a_second_trio() -> None:
    course = graph(7, (1, 2), (2, 3), (1, 3), (4, 5), (4, 6), (5, 6))

    found = verify(course, Schedule((((1, 2, 3), (4, 5)),), alone(6, 7), proofs=(Proof(1, ()),)))

    assert found == []


def test_one_who_may_join_no_couple_is_unpaired_with_a_proof_of_parity() -> None:
    course = graph(5, (1, 2), (3, 4), (1, 5), (3, 5))

    assert verify(course, Schedule((((1, 2), (3, 4)),), alone(5), proofs=(Proof(1, ()),))) == []


def test_a_true_proof_is_believed() -> None:
    schedule = Schedule((((1, 2),),), alone(3, 4), proofs=(Proof(1, (1,)),))

    assert verify(STAR, schedule) == []


@pytest.mark.parametrize("barrier", [(), (2,), (1, 2), (1, 1), (9,)])
def test_a_proof_that_proves_nothing_is_named(barrier: tuple[int, ...]) -> None:
    schedule = Schedule((((1, 2),),), alone(3, 4), proofs=(Proof(1, barrier),))

    assert verify(STAR, schedule) == [Violation(Breach.PROOF, 1, barrier)]


@pytest.mark.parametrize("barrier", [(1, 1), (1, 9), (1, 2)], ids=["twice", "a stranger", "absent"])
def test_a_proof_names_each_person_once_and_only_those_who_are_there(barrier: tuple[int, ...]) -> None:
    # Of 3, 4 and 5, whom only 1 can meet, 5 is not even listed, so that less would have to be proven.
    course = graph(5, (1, 3), (1, 4), (1, 5))
    unpaired = (*alone(4), *alone(2, reason=Reason.ABSENT))

    def found(named: tuple[int, ...]) -> list[Violation]:
        return verify(course, Schedule((((1, 3),),), unpaired, proofs=(Proof(1, named),)))

    assert found((1,)) == [Violation(Breach.MISSING, 1, (5,))]
    assert found(barrier) == [Violation(Breach.MISSING, 1, (5,)), Violation(Breach.PROOF, 1, barrier)]


def test_a_proof_may_be_about_everyone_although_some_are_locked() -> None:
    schedule = Schedule((((1, 2),),), alone(3, 4), proofs=(Proof(1, (1,)),))

    assert verify(replace(STAR, locks=(Lock((1, 2)),)), schedule) == []


def test_in_circles_a_proof_about_pairs_proves_nothing() -> None:
    # In pairs one of 1, 2, 3 and one of 4 to 8 are left over.
    course = graph(8, (1, 2), (2, 3), (1, 3), (4, 5), (5, 6), (6, 7), (7, 8), (6, 8), shape=Shape(Kind.CIRCLES, 3))
    unpaired = alone(4, 5, reason=Reason.NONE_BETTER_FOUND)

    assert verify(course, Schedule((((1, 2, 3), (6, 7, 8)),), unpaired, proofs=(Proof(1, ()),))) == [
        Violation(Breach.PROOF, 1, ()),
        *(Violation(Breach.NEEDLESSLY_UNPAIRED, 1, (one,)) for one in (4, 5)),
    ]


def test_a_proof_must_explain_the_trio_as_well() -> None:
    # 1, 2 and 3 all know each other; 4 and 5 know only 1: one of them is over, or a trio leaves two.
    course = graph(5, (1, 2), (2, 3), (1, 3), (1, 4), (1, 5))
    trio = Schedule((((1, 2, 3),),), alone(4, 5), proofs=(Proof(1, (1,)),))
    pairs = Schedule((((1, 4), (2, 3)),), alone(5), proofs=(Proof(1, ()),))

    assert verify(course, trio) == [Violation(Breach.PROOF, 1, (1,))]
    assert verify(course, pairs) == []
    # 1, 2 and 3 leave one over in pairs; the trio takes that one in, so it does not explain why 4 is alone.
    course = graph(5, (1, 2), (2, 3), (1, 3), (4, 5))
    trio = Schedule((((1, 2, 3),),), alone(4), proofs=(Proof(1, ()),))
    assert verify(course, trio) == [Violation(Breach.MISSING, 1, (5,)), Violation(Breach.PROOF, 1, ())]


def test_without_a_proof_only_a_true_reason_is_believed() -> None:
    apart = graph(4, (1, 2))

    def found(course: Course, reason: Reason) -> list[Violation]:
        return verify(course, Schedule((((1, 2),),), alone(3, 4, reason=reason)))

    assert found(apart, Reason.NOBODY_ALLOWED) == []
    assert found(STAR, Reason.NOBODY_ALLOWED) == [Violation(Breach.PROOF, 1, (one,)) for one in (3, 4)]
    assert found(apart, Reason.TOO_FEW_PARTNERS) == [Violation(Breach.PROOF, 1, (one,)) for one in (3, 4)]
    assert found(apart, Reason.NONE_BETTER_FOUND) == [Violation(Breach.PROOF, 1, (one,)) for one in (3, 4)]


def test_a_proof_for_a_round_in_which_everybody_has_a_partner_is_named() -> None:
    groups = ((1, 2), (3, 4))

    assert verify(FOUR, Schedule((groups,), proofs=(Proof(1, ()),))) == [Violation(Breach.PROOF, 1, ())]
    assert verify(FOUR, Schedule((groups,), proofs=(Proof(2, ()),))) == [Violation(Breach.PROOF, 2, ())]


def test_the_only_one_needs_no_proof() -> None:
    assert verify(Course((7,)), Schedule(((),), alone(7, reason=Reason.NOBODY_ELSE))) == []


def test_a_repair_of_later_rounds_needs_no_proof() -> None:
    schedule = Schedule((((1, 2),), ((1, 3),)), (*alone(3, 4), *alone(2, 4, number=2)))

    assert verify(STAR, schedule, from_round=2) == []
    assert {one.round for one in verify(STAR, schedule)} == {1, 2}


def test_locked_people_are_out_of_the_reach_of_others() -> None:
    # 3 and 4 might both work with 1 and 2, who must stay together.
    course = graph(4, (1, 2), (1, 3), (2, 4), locks=(Lock((1, 2), 1),))
    schedule = Schedule((((1, 2),),), alone(3, 4), proofs=(Proof(1, ()),))

    assert verify(course, schedule) == []
    assert Violation(Breach.PROOF, 1, ()) in verify(replace(course, locks=()), schedule)


def test_a_lock_holds_in_its_round_only_and_ends_when_somebody_leaves() -> None:
    schedule = Schedule((((1, 2), (3, 4)), ((1, 3), (2, 4))))

    assert verify(replace(FOUR, locks=(Lock((1, 2), 1), Lock((1, 3), 2), Lock((1, 4, 9)))), schedule) == []
    assert verify(replace(FOUR, locks=(Lock((1, 2)),)), schedule) == [Violation(Breach.LOCK, 2, (1, 2))]


def test_two_who_met_may_not_meet_again_where_that_is_a_rule() -> None:
    schedule = Schedule((((1, 2), (3, 4)), ((2, 1), (4, 3)), ((1, 3), (2, 4))))
    course = replace(FOUR, rules=(NotAgain(),), met=((4, 2), (9, 1)))

    assert verify(course, schedule) == [
        Violation(Breach.RULE, 2, (2, 1), "not_again"),
        Violation(Breach.RULE, 2, (4, 3), "not_again"),
        Violation(Breach.RULE, 3, (2, 4), "not_again"),
    ]
    assert verify(replace(course, rules=()), schedule) == []
    assert [one.round for one in verify(course, schedule, from_round=3)] == [3]


def test_who_meets_in_a_later_round_has_no_partner_in_this_one_where_that_is_a_rule() -> None:
    schedule = Schedule(((), ((1, 2),)), alone(1, 2, reason=Reason.NOBODY_ALLOWED))

    assert verify(Course((1, 2), rules=(NotAgain(),)), schedule) == []
    assert Violation(Breach.NEEDLESSLY_UNPAIRED, 1, (1,)) in verify(Course((1, 2)), schedule)


def test_people_who_are_locked_together_and_both_unpaired_are_named() -> None:
    schedule = Schedule((((1, 2),),), alone(3, 4))

    assert Violation(Breach.LOCK, 1, (3, 4)) in verify(replace(FOUR, locks=(Lock((3, 4)),)), schedule)


def test_rounds_run_out_where_nobody_may_meet_twice() -> None:
    course = Course((1, 2), rules=(NotAgain(),))
    again = alone(1, 2, number=2, reason=Reason.NOBODY_ALLOWED)

    assert verify(course, Schedule((((1, 2),), ()), again)) == []
    assert verify(course, Schedule((((1, 2),), ()), alone(1, 2, number=2), proofs=(Proof(2, ()),))) == []
    assert Violation(Breach.NEEDLESSLY_UNPAIRED, 2, (1,)) in verify(
        replace(course, rules=()), Schedule(((), ()), again)
    )


def test_a_group_that_has_begun_is_not_judged() -> None:
    course = replace(graph(3, (1, 3)), locks=(Lock((1, 3)),))
    begun = [(1, (1, 9, 2))]
    schedule = Schedule((((1, 9, 2),),), alone(3, reason=Reason.OTHERS_HAVE_BEGUN))

    assert verify(course, schedule, fixed=begun) == []
    assert {one.breach for one in verify(course, schedule)} >= {Breach.UNKNOWN, Breach.RULE, Breach.LOCK}


def test_a_group_that_has_begun_and_lost_someone_is_not_too_small() -> None:
    schedule = Schedule((((1,), (2, 3)),))

    assert verify(Course((1, 2, 3)), schedule, fixed=[(1, (1,))]) == []
    assert verify(Course((1, 2, 3)), schedule) == [Violation(Breach.SIZE, 1, (1,))]


def test_a_trio_that_has_begun_leaves_room_for_one_of_the_others() -> None:
    schedule = Schedule((((1, 2, 3), (4, 5, 6)),))

    assert verify(Course((1, 2, 3, 4, 5, 6)), schedule, fixed=[(1, (1, 2, 3))]) == []


def test_no_one_joins_a_group_that_has_begun() -> None:
    unpaired = alone(3, reason=Reason.OTHERS_HAVE_BEGUN)

    assert verify(Course((1, 2, 3)), Schedule((((1, 2),),), unpaired), fixed=[(1, (1, 2))]) == []


def test_beside_begun_groups_no_proof_is_needed() -> None:
    assert verify(STAR, Schedule((((1, 2),),), alone(3, 4)), fixed=[(1, (1, 2))]) == []


def test_beside_begun_groups_two_are_still_needlessly_unpaired() -> None:
    schedule = Schedule((((1, 2),),), alone(3, 4, reason=Reason.OTHERS_HAVE_BEGUN))

    found = verify(FOUR, schedule, fixed=[(1, (1, 2))])

    assert found == [Violation(Breach.NEEDLESSLY_UNPAIRED, 1, (one,)) for one in (3, 4)]


def test_earlier_rounds_are_not_judged() -> None:
    assert verify(FOUR, Schedule((((1, 9),), ((1, 2), (3, 4)))), from_round=2) == []


def test_in_circles_nobody_stays_out_whom_a_group_can_take() -> None:
    shape = Shape(Kind.CIRCLES, 3)
    reason = Reason.NONE_BETTER_FOUND
    full = Course(tuple(range(1, 6)), shape=shape)
    closed = graph(4, (1, 2), (2, 3), (1, 3), (1, 4), (2, 4), shape=shape)

    assert verify(full, Schedule((((1, 2, 3, 4),),), alone(5, reason=reason))) == []
    assert Violation(Breach.NEEDLESSLY_UNPAIRED, 1, (5,)) in verify(
        full, Schedule((((1, 2), (3, 4)),), alone(5, reason=reason))
    )
    assert verify(closed, Schedule((((1, 2, 3),),), alone(4, reason=reason))) == []


def test_nobody_looks_for_a_partner_for_who_is_absent() -> None:
    course = replace(FIVE, locks=(Lock((3, 5)),))
    absent = alone(5, reason=Reason.ABSENT)

    assert verify(course, Schedule((((1, 2), (3, 4)),), absent)) == []
    assert verify(FOUR, Schedule((((1, 2, 3),),), alone(4, reason=Reason.ABSENT))) == []
    assert verify(course, Schedule((((1, 2, 3),),), (*absent, *alone(4)))) == [
        Violation(Breach.TRIOS, 1, (1, 2, 3)),
        Violation(Breach.PROOF, 1, (4,)),
    ]


@pytest.mark.parametrize("people", [2_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_many_people_are_checked_in_one_go(people: int) -> None:
    units = np.where(np.arange(people) % 2, "odd", "even").tolist()
    rounds = tuple(tuple((one, (one + 1 + 2 * number) % people) for one in range(0, people, 2)) for number in range(12))
    rules = (Other(attribute="unit"), NotAgain())
    course = Course(tuple(range(people)), attributes={"unit": dict(enumerate(units))}, rules=rules)

    assert verify(course, Schedule(rounds)) == []
    again = verify(course, Schedule((*rounds[:11], rounds[0][1:])))
    assert {(one.breach, one.people) for one in again} == {
        *((Breach.RULE, couple) for couple in rounds[0][1:]),
        *((Breach.MISSING, (one,)) for one in rounds[0][0]),
    }
