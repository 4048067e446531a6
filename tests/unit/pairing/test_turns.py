"""Turns: who goes first is shared as evenly as the groups allow, whatever came before."""

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.problem import Group, balance
from lti_tool.pairing.engine.turns import give_turns
from tests.unit.pairing.budget import examples

Rounds = list[list[Group]]


@st.composite
def any_rounds(draw: st.DrawFn, most_people: int = 30, most_rounds: int = 8) -> Rounds:
    """Rounds in which some people are absent, some are alone, and groups have two to four members."""
    people = list(range(10, 10 + draw(st.integers(0, most_people))))
    sizes = st.sampled_from([1, 2, 2, 2, 2, 3, 4])
    rounds: Rounds = []
    for _ in range(draw(st.integers(0, most_rounds))):
        order = draw(st.permutations(people))[: draw(st.integers(0, len(people)))]
        groups: list[Group] = []
        while order:
            size = draw(sizes)
            groups.append(tuple(order[:size]))
            order = order[size:]
        rounds.append(groups)
    return rounds


def imbalance(rounds: Sequence[Sequence[Group]], ahead: Mapping[int, int] | None = None) -> int:
    """The most that anyone in these rounds is ahead or behind after the last of them."""
    return max((abs(times + (ahead or {}).get(one, 0)) for one, times in balance(rounds).items()), default=0)


def histories(rounds: Rounds, most: int = 4) -> st.SearchStrategy[dict[int, int]]:
    people = sorted({one for groups in rounds for group in groups for one in group})
    return st.fixed_dictionaries({one: st.integers(-most, most) for one in people})


def least_imbalance(rounds: Rounds, ahead: dict[int, int], fixed: list[tuple[int, Group]]) -> int:
    """The largest imbalance at the end, of all ways to give the turns the best one."""
    placed = [(number, group) for number, groups in enumerate(rounds, 1) for group in groups]
    free = [group for number, group in placed if len(group) > 1 and (number, group) not in fixed]
    start = dict.fromkeys((one for _, group in placed for one in (group[0], group[-1])), 0)
    for one in start:
        start[one] = ahead.get(one, 0)
    for number, group in placed:
        if (number, group) in fixed:
            start[group[0]] += 1
            start[group[-1]] -= 1
    found = []
    for signs in product((1, -1), repeat=len(free)):
        counted = dict(start)
        for sign, group in zip(signs, free, strict=True):
            counted[group[0]] += sign
            counted[group[-1]] -= sign
        found.append(max(map(abs, counted.values()), default=0))
    return min(found)


@given(rounds=any_rounds(), seed=st.integers(0, 99))
@settings(max_examples=examples(200), deadline=None)
def test_without_a_history_nobody_is_ever_more_than_one_ahead(rounds: Rounds, seed: int) -> None:
    given_turns = give_turns(rounds, Random(seed))

    for number in range(1, len(rounds) + 1):
        assert all(abs(ahead) <= 1 for ahead in balance(given_turns[:number]).values())


@given(rounds=any_rounds(), seed=st.integers(0, 99), drawn=st.data())
@settings(max_examples=examples(200), deadline=None)
def test_only_the_ends_of_a_group_change_places(rounds: Rounds, seed: int, drawn: st.DataObject) -> None:
    given_turns = give_turns(rounds, Random(seed), ahead=drawn.draw(histories(rounds)))

    for groups, before in zip(given_turns, rounds, strict=True):
        for group, untouched in zip(groups, before, strict=True):
            assert group in {untouched, untouched[::-1]}


@given(rounds=any_rounds(most_people=8, most_rounds=4), seed=st.integers(0, 99), drawn=st.data())
@settings(max_examples=examples(200), deadline=None)
def test_with_a_history_and_given_turns_the_largest_imbalance_is_the_least_possible(
    rounds: Rounds, seed: int, drawn: st.DataObject
) -> None:
    ahead = drawn.draw(histories(rounds))
    placed = [(number, group) for number, groups in enumerate(rounds, 1) for group in groups]
    fixed = [one for one in placed if drawn.draw(st.booleans())]

    given_turns = give_turns(rounds, Random(seed), ahead=ahead, new=set(placed) - set(fixed))

    assert imbalance(given_turns, ahead) == least_imbalance(rounds, ahead, fixed)
    for number, group in fixed:
        assert group in given_turns[number - 1]


@pytest.mark.parametrize("seed", range(10))
def test_after_an_odd_number_of_rounds_elsewhere_everybody_stays_within_two(seed: int) -> None:
    people = list(range(100))
    ahead = {one: 1 if one % 2 else -1 for one in people}
    rounds: Rounds = []
    for number in range(6):
        order = Random(10 * seed + number).sample(people, k=len(people))
        rounds.append([(order[place], order[place + 1]) for place in range(0, 100, 2)])

    given_turns = give_turns(rounds, Random(seed), ahead=ahead)

    # In the first round two who are one ahead may meet: one of them becomes two ahead.
    assert all(imbalance(given_turns[:number], ahead) <= 2 for number in range(1, 6))
    assert imbalance(given_turns, ahead) == 1


def test_a_history_of_two_turns_is_made_good_in_the_first_two_rounds() -> None:
    rounds: Rounds = [[(1, 2), (3, 4)], [(1, 3), (2, 4)], [(1, 4), (2, 3)]]

    given_turns = give_turns(rounds, Random(0), ahead={1: 2, 2: -2})

    assert [group[-1] for groups in given_turns[:2] for group in groups if 1 in group] == [1, 1]
    assert [group[0] for groups in given_turns[:2] for group in groups if 2 in group] == [2, 2]
    assert imbalance(given_turns, {1: 2, 2: -2}) == 1


def test_rounds_that_have_begun_keep_their_turns_and_later_ones_make_up_for_them() -> None:
    rounds: Rounds = [[(1, 2), (3, 4)], [(1, 3), (2, 4)]]

    given_turns = give_turns(rounds, Random(0), new=[(2, (1, 3)), (2, (2, 4))])

    assert given_turns[0] == ((1, 2), (3, 4))
    assert imbalance(given_turns) == 2  # 1 and 3 both went first, and now they meet: one goes first again


def test_the_same_seed_gives_the_same_turns() -> None:
    people = list(range(60))
    rounds: Rounds = []
    for number in range(5):
        order = Random(number).sample(people, k=len(people))
        rounds.append([(order[place], order[place + 1]) for place in range(0, 60, 2)])
    ahead = {one: one % 5 - 2 for one in people}

    assert give_turns(rounds, Random(3), ahead=ahead) == give_turns(rounds, Random(3), ahead=ahead)
    assert give_turns(rounds, Random(3)) == give_turns(rounds, Random(3))


def test_roles_change_from_round_to_round_more_often_than_by_chance() -> None:
    people = list(range(40))
    rounds: Rounds = []
    for number in range(6):
        order = people[:20] + people[20:][number:] + people[20:][:number]
        rounds.append([(order[place], order[place + 20]) for place in range(20)])

    given_turns = give_turns(rounds, Random(1))

    firsts = [{group[0] for group in groups} for groups in given_turns]
    same = sum((one in before) == (one in after) for before, after in pairwise(firsts) for one in people)
    # Half of the places between rounds are decided by balance; chance would keep half of the others.
    assert same <= len(people) * 5 * 0.25
