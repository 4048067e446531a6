"""Reviews: exactly k done by and of everybody wherever that can be, and never against a rule."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise, permutations
from random import Random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.check import verify_reviews
from lti_tool.pairing.engine.problem import Course, ImpossibleRequest, ListedTwice, Reason, ReviewProof, Reviews
from lti_tool.pairing.engine.reviews import reviews
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Other
from lti_tool.pairing.engine.wishes import RatherOther
from tests.factories.cohorts import corporate
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.brute_force import is_allowed
from tests.unit.pairing.budget import examples
from tests.unit.pairing.families import sparse_reviews, tight

PLAIN = Course(tuple(range(1, 11)))


def most_reviews(course: Course, k: int) -> int:
    """How many reviews there can be, by somebody else's maximum flow."""
    met = {frozenset(couple) for couple in course.met} if any(rule.name == "not_again" for rule in course.rules) else ()
    graph = nx.DiGraph()
    for one in course.people:
        graph.add_edge("start", ("reviewer", one), capacity=k)
        graph.add_edge(("author", one), "end", capacity=k)
    for one, other in permutations(course.people, 2):
        if is_allowed(course, one, other) and frozenset((one, other)) not in met:
            graph.add_edge(("reviewer", one), ("author", other), capacity=1)
    return int(nx.maximum_flow_value(graph, "start", "end")) if course.people else 0


def groups_of(*sizes: int) -> Course:
    """Groups of these sizes; nobody reviews the own group."""
    ends = [0, *(sum(sizes[: number + 1]) for number in range(len(sizes)))]
    group = {one: f"g{number}" for number, (start, end) in enumerate(pairwise(ends)) for one in range(start, end)}
    return Course(tuple(group), attributes={"group": group}, rules=(Other(attribute="group"),))


def mutual(found: Reviews) -> int:
    made = set(found.pairs)
    return sum((author, reviewer) in made for reviewer, author in made) // 2


@given(people=st.integers(0, 12), more=st.integers(-14, 2), seed=st.integers(0, 2**32))
@settings(max_examples=examples(100), deadline=None)
def test_with_no_rules_everybody_does_and_gets_k_or_as_many_as_there_are_others(
    people: int, more: int, seed: int
) -> None:
    k = max(1, people + more)
    course = Course(tuple(range(people)))

    found = reviews(course, k, seed)

    assert verify_reviews(course, k, found) == []
    for side in (0, 1):
        assert Counter(pair[side] for pair in found.pairs) == {
            one: min(k, people - 1) for one in course.people if people > 1
        }
    if k <= (people - 1) // 2:
        assert mutual(found) == 0


@given(people=st.integers(0, 25), k=st.integers(1, 6), seed=st.integers(0, 2**32), sparse=st.booleans())
@settings(max_examples=examples(120), deadline=None)
def test_whatever_the_rules_there_are_as_many_reviews_as_can_be(people: int, k: int, seed: int, sparse: bool) -> None:
    course = course_at_random(people, Random(seed), sparse=sparse)

    found = reviews(course, k, seed)

    assert verify_reviews(course, k, found) == []
    assert len(found.pairs) == most_reviews(course, k)
    assert (found.proof is None) == (found.short == ())


@given(sizes=st.lists(st.integers(0, 12), min_size=1, max_size=4), k=st.integers(1, 5), seed=st.integers(0, 99))
@settings(max_examples=examples(100), deadline=None)
def test_nobody_reviews_the_own_group_and_there_are_as_many_reviews_as_can_be(
    sizes: list[int], k: int, seed: int
) -> None:
    course = groups_of(*sizes)

    found = reviews(course, k, seed)

    assert verify_reviews(course, k, found) == []
    assert len(found.pairs) == most_reviews(course, k)


@pytest.mark.parametrize(("sizes", "k"), [((15, 15), 3), ((15, 10, 5), 3), ((150, 150), 5), ((300, 299, 1), 3)])
def test_a_group_of_half_the_course_leaves_nobody_short(sizes: tuple[int, ...], k: int) -> None:
    found = reviews(groups_of(*sizes), k, seed=1)

    assert found.short == ()
    assert len(found.pairs) == k * sum(sizes)


@pytest.mark.parametrize("sizes", [(500, *[50] * 10), (2200, *[2] * 1100)], ids=["large groups", "very many groups"])
def test_half_the_course_in_one_group_and_excluded_couples_leave_nobody_short(sizes: tuple[int, ...]) -> None:
    half = groups_of(*sizes)
    last = len(half.people) - 1
    excluded = Exclusions(couples=tuple((one, last - one) for one in range(sizes[0])))

    found = reviews(replace(half, rules=(*half.rules, excluded)), 3, seed=1)

    assert verify_reviews(found.course, 3, found) == []
    assert found.short == ()


def test_half_the_course_in_one_group_and_couples_who_met_are_both_minded() -> None:
    half = groups_of(150, *[15] * 10)
    chance = Random(1)
    met = tuple((chance.randrange(300), chance.randrange(300)) for _ in range(1500))

    for seed in range(6):
        found = reviews(replace(half, met=met), 3, seed)

        assert found.short == ()
        assert {frozenset(pair) for pair in found.pairs}.isdisjoint(map(frozenset, met))


def test_a_group_of_more_than_half_shares_what_there_is() -> None:
    found = reviews(groups_of(20, 10), 3, seed=1)

    # The ten can do and get thirty reviews: the twenty have one or two each instead of three.
    done, received = (Counter(pair[side] for pair in found.pairs) for side in (0, 1))
    assert {done[one] for one in range(20)} == {received[one] for one in range(20)} == {1, 2}
    assert {done[one] for one in range(20, 30)} == {received[one] for one in range(20, 30)} == {3}
    assert {one.person for one in found.short} == set(range(20))
    assert {one.reason for one in found.short} == {Reason.TOO_FEW_PARTNERS}
    assert found.proof == ReviewProof(tuple(range(20)), tuple(range(20, 30)))


@pytest.mark.parametrize("seed", range(5))
def test_a_large_sparse_relation_is_used_up_to_the_last_review(seed: int) -> None:
    instance = sparse_reviews(300, 2, 4)
    assert len(reviews(instance.course, 4, seed).pairs) == 1200

    course = tight(100, 4.0, seed).course
    assert len(reviews(course, 3, seed).pairs) == most_reviews(course, 3)


def test_in_a_sparse_relation_wishes_count_and_few_review_one_another() -> None:
    instance = sparse_reviews(200, 4, 3)
    odd = {one: "ab"[one % 2] for one in instance.course.people}
    attributes = {**instance.course.attributes, "department": odd}
    course = replace(instance.course, attributes=attributes, wishes=(RatherOther(attribute="department", weight=5),))

    found = reviews(course, 3, seed=1)

    assert len(found.pairs) == 600
    # Of eight neighbours four are in the other department: two to review and two to be reviewed by. Chance gives 300.
    assert sum(odd[reviewer] != odd[author] for reviewer, author in found.pairs) > 390
    assert mutual(found) < 30


def test_who_may_work_with_nobody_is_short_and_everybody_else_is_not() -> None:
    course = replace(PLAIN, rules=(Exclusions(couples=tuple((10, one) for one in range(1, 10))),))

    found = reviews(course, 3, seed=1)

    assert [(one.person, one.done, one.received, one.reason) for one in found.short] == [
        (10, 0, 0, Reason.NOBODY_ALLOWED)
    ]
    assert verify_reviews(course, 3, found) == []


def test_one_person_has_nobody_else() -> None:
    found = reviews(Course((4,)), 2, seed=1)

    assert found.pairs == ()
    assert [one.reason for one in found.short] == [Reason.NOBODY_ELSE]


def test_people_who_met_are_avoided_and_never_matched_where_that_is_a_rule() -> None:
    met = tuple((one, one + 1) for one in range(1, 10))
    course = replace(PLAIN, met=met)

    assert not any(abs(one - other) == 1 for one, other in reviews(course, 3, seed=1).pairs)
    strict = replace(course, rules=(NotAgain(),))
    found = reviews(strict, 8, seed=1)
    assert not any(abs(one - other) == 1 for one, other in found.pairs)
    assert verify_reviews(strict, 8, found) == []


def test_the_same_seed_gives_the_same_reviews_whatever_the_order_of_people() -> None:
    course = corporate(120)

    assert reviews(course, 3, 5).pairs == reviews(replace(course, people=course.people[::-1]), 3, 5).pairs
    assert reviews(course, 3, 5).pairs != reviews(course, 3, 6).pairs


def test_a_question_without_sense_is_refused() -> None:
    with pytest.raises(ImpossibleRequest):
        reviews(PLAIN, 0, seed=1)
    with pytest.raises(ListedTwice):
        reviews(Course((1, 2, 2)), 1, seed=1)
