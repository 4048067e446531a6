"""What the figures of an activity say, of plain facts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.rules import kind_of
from lti_tool.evidence.rules.catalog import BY_KEY, FIGURES
from lti_tool.evidence.rules.facts import (
    Facts,
    FollowThrough,
    GoalStanding,
    GroupMeeting,
    PlannedAction,
    Sharing,
)
from lti_tool.evidence.rules.figures import Table, counted, gini
from lti_tool.quality.rules import Expected, Given, beside_each_other
from lti_tool.surveys.rules import Change, Item

NOW = datetime(2026, 3, 4, tzinfo=UTC)
NOTHING = Facts(
    now=NOW,
    kind=kind_of("observation"),
    rounds=(1, 2),
    summaries={},
    waits={},
    meetings=(),
    given=(),
    expected=(),
    quality=(),
    turns=(),
    actions=(),
    goals=(),
    survey=(),
    sharing=Sharing(),
)


def figure(key: str, **facts: object) -> Table:
    return counted(BY_KEY[key], replace(NOTHING, **facts))


def lines(table: Table) -> list[tuple[object, ...]]:
    return [(*row.heads, *(cell.value for cell in row.cells)) for row in table.rows]


def behind(table: Table, row: str, column: str) -> set[int]:
    place = table.cell(row, column)
    assert place is not None
    return set(place[2].people)


@pytest.mark.parametrize("key", BY_KEY)
def test_without_anything_to_count_a_figure_has_no_rows(key: str) -> None:
    assert figure(key).rows == ()


def test_figures_and_their_columns_have_names_of_their_own() -> None:
    assert len({each.key for each in FIGURES}) == len({each.title for each in FIGURES}) == len(FIGURES)
    for each in FIGURES:
        columns = [column.key for column in (*each.heads, *each.columns)]
        assert len(set(columns)) == len(columns)


@given(amounts=st.lists(st.integers(0, 50), min_size=1, max_size=30), factor=st.integers(1, 9))
def test_the_gini_coefficient_is_the_mean_difference_over_twice_the_mean(amounts: list[int], factor: int) -> None:
    count, total = len(amounts), sum(amounts)
    expected = sum(abs(a - b) for a in amounts for b in amounts) / (2 * count * total) if total else 0
    assert gini(amounts) == pytest.approx(expected)
    assert gini([amount * factor for amount in amounts]) == pytest.approx(expected)


def test_it_is_nothing_for_equals_and_nearly_one_if_one_person_has_all() -> None:
    assert (gini([3, 3, 3]), gini([0, 0, 0, 8])) == (0, 0.75)


def test_who_is_stuck_is_counted_by_days() -> None:
    waits = {1: NOW - timedelta(days=3), 2: NOW - timedelta(days=3, seconds=1), 3: NOW - timedelta(days=90)}
    table = figure("stuck", waits=waits)
    assert [row.cells[1].value for row in table.rows] == [1, 1, 0, 1]
    assert behind(table, "7", "waiting") == {2}


def test_weeks_begin_on_monday_and_none_is_left_out() -> None:
    sunday, next_week = date(2026, 3, 1), date(2026, 3, 11)
    meetings = (GroupMeeting(1, (1, 2), (sunday,), sunday), GroupMeeting(1, (3, 4), (next_week,), None))
    table = figure("meetings", meetings=meetings)
    assert lines(table) == [(date(2026, 2, 23), 1, 1), (date(2026, 3, 2), 0, 0), (date(2026, 3, 9), 1, 0)]
    assert behind(table, "2026-03-09", "planned") == {3, 4}
    far = (*meetings, GroupMeeting(2, (1, 2), (date(2036, 1, 1),)))
    assert len(figure("meetings", meetings=far).rows) == 3


def test_the_time_to_the_feedback_is_told_in_the_middle_from_three_writers_on() -> None:
    given_ = [Given(1, 1, author, 9, hours=hours) for author, hours in ((1, 2), (2, 24), (3, 90), (3, 400))]
    by_round, whole = beside_each_other({1: given_})
    table = figure("delays", given=given_, quality=[*by_round.items(), (None, whole)])
    assert lines(table) == [(1, 2, 0, 1, 1, 57)]
    assert behind(table, "1", "later") == {3}
    few, whole = beside_each_other({1: given_[:2]})
    assert lines(figure("delays", given=given_[:2], quality=[*few.items(), (None, whole)])) == [(1, 2, 0, 0, 0, None)]


def test_how_useful_feedback_was_is_hidden_with_fewer_than_three_people() -> None:
    given_ = [Given(1, 1, person, person + 1, usefulness=value) for person, value in ((1, 4), (2, 3), (3, 1))]
    by_round, whole = beside_each_other({1: given_})
    assert lines(figure("usefulness", given=given_, quality=[*by_round.items(), (None, whole)])) == [
        (1, pytest.approx(2 / 3), 3),
        (None, pytest.approx(2 / 3), 3),
    ]
    few, whole = beside_each_other({1: given_[:2]})
    assert lines(figure("usefulness", given=given_[:2], quality=[*few.items(), (None, whole)])) == [
        (1, None, 2),
        (None, None, 2),
    ]


def test_service_is_compared_over_everyone_who_was_to_get_something() -> None:
    given_ = [Given(1, 1, 2, 1), Given(1, 1, 3, 1), Given(1, 1, 1, 2)]
    expected = [Expected(1, person, frozenset({9}), is_over=person < 4) for person in (1, 2, 3, 4)]
    table = figure("fairness", given=given_, expected=expected, turns=[(1, "observed"), (2, "observer")])
    assert lines(table) == [("Feedback received", 0, 2, 1, pytest.approx(4 / 9), 3)]
    assert (behind(table, "feedback", "least"), behind(table, "feedback", "most")) == ({3}, {1})
    assert lines(figure("served", given=given_, expected=expected)) == [(0, 1), (1, 1), (2, 1)]


def test_seats_are_counted_by_person() -> None:
    turns = [(1, "observed"), (2, "observer"), (1, "observed"), (2, "observer"), (1, "observer"), (2, "observer")]
    assert [row[1:] for row in lines(figure("seats", turns=turns))] == [(1, 0, 1, 0), (0, 1, 0, 1)]


def test_actions_are_counted_by_what_became_of_them() -> None:
    actions = [PlannedAction(2, 1, became) for became in (FollowThrough.DONE, FollowThrough.DONE, FollowThrough.MOVED)]
    assert lines(figure("actions", actions=actions)) == [(2, 2, 1, 0, 0)]


def test_how_far_an_open_goal_is_leads_to_everyone_with_one() -> None:
    goals = [
        GoalStanding(1, "open", 0, 3, 4),
        GoalStanding(2, "open", 10, 12, 5),
        GoalStanding(3, "open", 1, 5, 5),
        GoalStanding(4, "open"),
        GoalStanding(5, "reached", 0, 1, 4),
    ]
    table = figure("goals", goals=goals)
    assert {row.key: row.cells[0].value for row in table.rows} == {
        "reached": 1,
        "there": 1,
        "half": 1,
        "start": 1,
        "words": 1,
    }
    assert behind(table, "half", "goals") == {1, 2, 3, 4}
    assert behind(table, "reached", "goals") == {5}


def test_how_far_goals_are_is_hidden_with_fewer_than_three_people() -> None:
    goals = [GoalStanding(1, "open", 0, 3, 4), GoalStanding(2, "open", 0, 1, 4), GoalStanding(2, "open", 0, 4, 4)]
    assert [row.key for row in figure("goals", goals=goals).rows] == ["open"]


def test_a_sentence_that_too_few_answered_shows_nothing() -> None:
    trust, own = Item("trust", "…"), Item("own", "own")
    table = figure("survey", survey=[Change(trust, 3, 2, 3, 1, 0.5), own])
    assert lines(table) == [("…", 2, 3, 1, 0.5, 3), ("own", None, None, None, None, None)]
    assert [table.bars(row) for row in table.rows] == [[[("waiting", 1)], [("done", 2)]], []]
    assert table.length == 4


def test_a_full_bar_is_the_longest_row() -> None:
    actions = [PlannedAction(number, 1, FollowThrough.DONE) for number in (1, 2, 2)]
    table = figure("actions", actions=actions)
    assert (table.length, [sum(length for _, length in table.bars(row)[0]) for row in table.rows]) == (2, [1, 2])
