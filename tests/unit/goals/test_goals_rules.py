"""Forms of goals, hints for vague ones, the line of a goal, and the round that runs now."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.goals import rules
from lti_tool.goals.rules import Flaw, Hint

TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CLEAR: dict[str, Any] = {
    "words": "I ask three open questions in every team meeting",
    "measure": "I count them in my notes",
    "start": 1.0,
    "target": 3.0,
    "target_on": date(2026, 12, 2),
}
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
values = st.floats(-1e6, 1e6, allow_nan=False)


def flaws(form: rules.Form, **sent: str) -> dict[str, Flaw]:
    return {one.field.key: one.flaw for one in rules.read(form, sent).problems}


def test_a_goal_needs_words_and_nothing_else() -> None:
    assert flaws(rules.GOAL) == {"words": Flaw.MISSING}
    assert flaws(rules.GOAL, goal_words="Better meetings") == {}


@pytest.mark.parametrize(
    ("typed", "number"), [("3", 3.0), ("2,5", 2.5), ("-4.25", -4.25), ("−1", -1.0), (" 7 ", 7.0), ("", None)]
)
def test_numbers_are_read_as_people_type_them(typed: str, number: float | None) -> None:
    reading = rules.read(rules.GOAL, {"goal_words": "x", "goal_start": typed})
    assert (reading.problems, reading.values["start"]) == ((), number)


@pytest.mark.parametrize("typed", ["three", "NaN", "inf", "1e9", "9" * 40, "1.2.3", "١"])
def test_what_is_no_number_is_said_so(typed: str) -> None:
    assert flaws(rules.GOAL, goal_words="x", goal_target=typed) == {"target": Flaw.NO_NUMBER}


@pytest.mark.parametrize("typed", ["tomorrow", "2026-02-30", "0001-01-01", "9999-01-01"])
def test_what_is_no_date_is_said_so(typed: str) -> None:
    assert flaws(rules.GOAL, goal_words="x", goal_target_on=typed) == {"target_on": Flaw.NO_DAY}


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://example.org/a?b=c#d", True),
        ("http://example.org", True),
        ("", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("example.org", False),
        ("https://me:secret@example.org", False),
        ("https://exa mple.org", False),
        ("//example.org", False),
    ],
)
def test_only_web_addresses_go_on_the_shelf(address: str, is_taken: bool) -> None:
    expected = {} if is_taken else {"address": Flaw.NO_ADDRESS}
    assert flaws(rules.RESOURCE, resource_title="A book", resource_address=address) == expected


def test_ten_thousand_characters_are_taken_and_one_more_is_not() -> None:
    assert flaws(rules.WIN, win_text="x" * 10_000) == {}
    assert flaws(rules.WIN, win_text="x" * 10_001) == {"text": Flaw.TOO_LONG}


def test_texts_are_cleaned() -> None:
    assert rules.read(rules.WIN, {"win_text": " a\r\nb\x00\x07 \ud800"}).values == {"text": "a\nb ?"}


def test_no_two_fields_are_sent_under_one_name() -> None:
    names = [form.sent_as(field) for form in rules.FORMS for field in form.fields]
    assert len(names) == len(set(names))


@given(values)
def test_a_number_comes_back_as_it_was_typed(number: float) -> None:
    typed = rules.typed(round(number, 6))
    assert rules.read(rules.CHECK_IN, {"check_in_how": "x", "check_in_value": typed}).values["value"] == float(typed)


def test_a_clear_goal_gets_no_hint() -> None:
    assert rules.hints_of(CLEAR, TODAY) == {}


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        ({"measure": ""}, "measure", Hint.HOW_WILL_YOU_KNOW),
        ({"start": None}, "start", Hint.WHERE_ARE_YOU_NOW),
        ({"target": None}, "target", Hint.HOW_FAR),
        ({"target": 1.0}, "target", Hint.WHAT_CHANGES),
        ({"target_on": None}, "target_on", Hint.BY_WHEN),
        ({"target_on": TODAY + timedelta(days=200)}, "target_on", Hint.NEARER),
    ],
)
def test_what_is_left_open_is_asked_for_beside_its_field(change: dict[str, Any], field: str, hint: Hint) -> None:
    assert rules.hints_of({**CLEAR, **change}, TODAY) == {field: hint}


@pytest.mark.parametrize(
    ("words", "is_vague"),
    [
        ("Better meetings", True),
        ("I want to listen better when others speak", True),
        ("Jag vill lyssna bättre när andra talar", True),
        ("Ask 3 questions", False),
        ("I let everybody finish before I answer", False),
    ],
)
def test_vague_words_are_noticed(words: str, is_vague: bool) -> None:
    goal = {**CLEAR, "words": words, "start": None, "target": None}
    assert ("words" in rules.hints_of(goal, TODAY)) == is_vague


@pytest.mark.parametrize(
    ("day", "ahead"),
    [
        (date(2026, 11, 2), date(2026, 12, 2)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
    ],
)
def test_a_month_ahead_is_the_same_day_of_the_next_month(day: date, ahead: date) -> None:
    assert rules.month_ahead(day) == ahead


@given(values, values, days, st.none() | days, st.lists(st.tuples(days, values), max_size=8))
def test_a_line_stays_inside_its_picture(
    start: float, target: float, begun_on: date, target_on: date | None, told: list[tuple[date, float]]
) -> None:
    line = rules.line_of(start, target, begun_on, target_on, told)
    assert line is not None
    for point in (line.start, line.target, *line.values):
        assert rules.MARGIN - 0.1 <= point.x <= rules.WIDTH - rules.MARGIN + 0.1
        assert rules.MARGIN - 0.1 <= point.y <= rules.HEIGHT - rules.MARGIN + 0.1
    assert [point.x for point in line.values] == sorted(point.x for point in line.values)
    assert sorted(point.value for point in line.values) == sorted(value for _, value in told)


def test_a_line_runs_from_the_start_to_the_target() -> None:
    line = rules.line_of(2.0, 6.0, TODAY, TODAY + timedelta(days=30), [(TODAY + timedelta(days=15), 4.0)])
    assert line is not None
    assert (line.start.x, line.start.y) == (10, 70)
    assert (line.target.x, line.target.y) == (290, 10)
    assert (line.values[0].x, line.values[0].y, line.now) == (150, 40, 4.0)


def test_without_numbers_there_is_no_line() -> None:
    assert rules.line_of(None, 3.0, TODAY, None, [(TODAY, 1.0)]) is None
    assert rules.line_of(3.0, None, TODAY, None, []) is None


def at(days: int) -> datetime:
    return NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("rounds", "place"),
    [
        ([], None),
        ([(None, None)], 0),
        ([(None, at(7)), (None, at(14))], 0),
        ([(None, at(-1)), (None, at(7))], 1),
        ([(at(-9), at(-2)), (at(3), at(9))], 0),
        ([(at(1), at(2)), (at(3), at(4))], 0),
        ([(None, at(-9)), (None, at(-2))], 1),
    ],
)
def test_the_present_round_is_the_first_that_is_open_and_not_over(
    rounds: list[tuple[datetime | None, datetime | None]], place: int | None
) -> None:
    assert rules.present_round(rounds, NOW) == place


def test_a_look_back_is_asked_for_while_an_action_is_open() -> None:
    week = timedelta(days=7)
    rounds = {1: None, 2: NOW + week, 3: NOW + 2 * week, 4: NOW + 3 * week}
    written = rules.WrittenAction(1, NOW, is_open=True)
    assert rules.look_backs([written], rounds) == {2: (0, 1), 3: (0, 1), 4: (0, 1)}
    moved = rules.WrittenAction(1, NOW, is_open=True, looked_at_in=2)
    done = rules.WrittenAction(1, NOW, is_open=False, looked_at_in=3)
    assert rules.look_backs([moved, done], rounds) == {2: (2, 2), 3: (1, 2), 4: (0, 1)}
    late = rules.WrittenAction(1, NOW + week, is_open=True)
    assert rules.look_backs([late], rounds) == {3: (0, 1), 4: (0, 1)}, "what is written later is for a later round"
    assert rules.look_backs([rules.WrittenAction(1, NOW, is_open=False)], rounds) == {}
