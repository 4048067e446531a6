"""Figures on feedback tell nothing about fewer than three people, and count what they say."""

from dataclasses import replace
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from lti_tool.quality.rules import (
    Expected,
    Figure,
    Given,
    Measure,
    Part,
    Pattern,
    balance_of,
    beside_each_other,
    figures_of,
    patterns_of,
    without_feedback,
    without_value,
)


def feedback(author: int, recipient: int = 100, round: int = 1, group: int = 1, **values: Any) -> Given:
    return replace(Given(round, group, author, recipient), **values)


def test_a_figure_needs_three_people_and_says_how_many_there_are() -> None:
    pieces = [feedback(1, has_example=True), feedback(1, has_example=True), feedback(2, has_example=False)]
    assert figures_of(pieces)[Measure.EXAMPLE] is None
    assert figures_of([*pieces, feedback(3, has_example=False)])[Measure.EXAMPLE] == Figure(0.5, 3)


def test_usefulness_needs_three_who_judge_and_three_who_are_judged() -> None:
    of_one = [feedback(9, recipient, usefulness=4) for recipient in (1, 2, 3)]
    assert figures_of(of_one)[Measure.USEFUL] is None
    of_three = [feedback(author, author + 1, usefulness=usefulness) for author, usefulness in ((1, 4), (2, 1), (3, 3))]
    figure = figures_of(of_three)[Measure.USEFUL]
    assert figure is not None
    assert (round(figure.value, 2), figure.people) == (0.67, 3)


def test_words_and_hours_are_those_in_the_middle() -> None:
    pieces = [feedback(author, words=words, hours=None) for author, words in ((1, 5), (2, 20), (3, 400))]
    assert figures_of(pieces)[Measure.WORDS] == Figure(20, 3)
    assert figures_of(pieces)[Measure.HOURS] is None


def test_a_part_of_one_person_is_not_told_by_subtraction() -> None:
    parts = {1: [feedback(author) for author in (1, 2, 3)], 2: [feedback(4, round=2)]}
    shown, whole = beside_each_other(parts)
    assert whole[Measure.STRENGTH] == Figure(1.0, 4)
    assert shown[1][Measure.STRENGTH] is None
    shown, _ = beside_each_other(parts | {3: [feedback(author, round=3) for author in (5, 6)]})
    assert shown[1][Measure.STRENGTH] == Figure(1.0, 3), "the rest is three people"


@for_all(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 5), st.booleans()), max_size=30))
def test_whatever_is_shown_leaves_no_rest_of_one_or_two_people(pieces: list[tuple[int, int, bool]]) -> None:
    parts: dict[int, list[Given]] = {}
    for author, part, has_example in pieces:
        parts.setdefault(part, []).append(feedback(author, round=part, has_example=has_example))
    shown, whole = beside_each_other(parts)
    for measure in (Measure.EXAMPLE, Measure.WORDS):
        hidden = {one.author_id for part, each in parts.items() if shown[part][measure] is None for one in each}
        are_any_shown = any(figures[measure] is not None for figures in shown.values())
        assert not (are_any_shown and whole[measure] is not None and 0 < len(hidden) < 3)


def test_who_got_nothing_is_known_once_the_round_is_over() -> None:
    expected = [
        Expected(1, 1, frozenset({2}), is_over=True),
        Expected(1, 2, frozenset({1}), is_over=True),
        Expected(1, 3, frozenset(), is_over=True),
        Expected(2, 1, frozenset({2}), is_over=False),
    ]
    assert without_feedback(expected, [feedback(1, 2)]) == {1: [1]}


def test_found_nothing_useful_counts_people_by_the_best_that_they_got() -> None:
    pieces = [feedback(9, 1, usefulness=1), feedback(8, 1, usefulness=3), feedback(9, 2, usefulness=2)]
    assert without_value(pieces) is None
    assert without_value([*pieces, feedback(9, 3, usefulness=4)]) == Part(1, 3, 3)


def test_patterns_between_two_are_counts_of_pairs() -> None:
    pieces = [
        feedback(1, 2, levels=(1, 1), usefulness=1, words=90),
        feedback(2, 1, levels=(1, 1), usefulness=2, words=20),
        feedback(3, 4, levels=(1, 2), usefulness=4, words=30),
        feedback(4, 3, levels=(2, 2), usefulness=1, words=30),
        feedback(5, 6),
    ]
    pairs = [(1, 1, 2, True), (1, 3, 4, True), (1, 5, 6, True), (1, 7, 8, True)]
    found = patterns_of(pieces, pairs)
    assert found[Pattern.SAME_LEVELS] == Part(1, 2, 4)
    assert found[Pattern.BOTH_LOW] == Part(1, 2, 4)
    assert found[Pattern.UNEQUAL] == Part(1, 2, 4)
    assert found[Pattern.ONE_SIDED] == Part(1, 3, 6)
    assert patterns_of(pieces, pairs[:1])[Pattern.SAME_LEVELS] is None, "two people are too few"


def test_balance_of_seats_counts_those_who_never_had_one() -> None:
    turns = [(1, "coach"), (2, "coachee"), (1, "coach"), (2, "coachee"), (3, "coachee"), (3, "coach")]
    balance = balance_of(["coach", "coachee"], turns)["coach"]
    assert (balance.fewest, balance.most, balance.never, balance.people) == (0, 2, 1, 3)
