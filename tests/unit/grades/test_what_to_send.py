"""When a score is sent, and when staff are asked instead."""

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.rules import ScoreMode
from lti_tool.grades.rules import (
    WHOLE,
    Decision,
    Scoring,
    Step,
    due_share,
    is_same_score,
    points,
    score_to_send,
)


@dataclass(frozen=True)
class Progress:
    fraction: Fraction
    is_complete: bool = False
    is_excused_from_all: bool = False
    points: Fraction | None = None


NONE, THIRD, MOST, DONE = (
    Progress(Fraction(0)),
    Progress(Fraction(1, 3)),
    Progress(Fraction(2, 3)),
    Progress(Fraction(1), True),
)
EXCUSED = Progress(Fraction(0), is_excused_from_all=True)
COMPLETE, PROPORTIONAL = Scoring(ScoreMode.COMPLETE), Scoring(ScoreMode.PROPORTIONAL)
ZERO_AT_CLOSE = Scoring(ScoreMode.COMPLETE, zero_at_close=True)
CLOSED = Scoring(ScoreMode.COMPLETE, is_closed=True)
CLOSED_WITH_ZERO = Scoring(ScoreMode.COMPLETE, zero_at_close=True, is_closed=True)
POINTS_COUNT = Scoring(ScoreMode.COMPLETE, points_share=40)
NOTHING = Decision(Step.NOTHING)


def send(share: int) -> Decision:
    return Decision(Step.SEND, share)


def ask(share: int | None) -> Decision:
    return Decision(Step.ASK, share)


@pytest.mark.parametrize(
    ("progress", "scoring", "told", "decision"),
    [
        # Nothing until the checklist is complete, then full marks.
        (NONE, COMPLETE, None, NOTHING),
        (MOST, COMPLETE, None, NOTHING),
        (DONE, COMPLETE, None, send(WHOLE)),
        (DONE, COMPLETE, WHOLE, NOTHING),
        # Proportional: first above 0, and upwards.
        (NONE, PROPORTIONAL, None, NOTHING),
        (THIRD, PROPORTIONAL, None, send(333_333)),
        (MOST, PROPORTIONAL, 333_333, send(666_666)),
        (DONE, PROPORTIONAL, 666_666, send(WHOLE)),
        # Never a 0 unless the designer chose one, and then only at the close.
        (NONE, ZERO_AT_CLOSE, None, NOTHING),
        (NONE, CLOSED, None, NOTHING),
        (NONE, CLOSED_WITH_ZERO, None, send(0)),
        (MOST, CLOSED_WITH_ZERO, None, send(0)),
        (DONE, CLOSED_WITH_ZERO, None, send(WHOLE)),
        (NONE, CLOSED_WITH_ZERO, 0, NOTHING),
        (DONE, CLOSED_WITH_ZERO, 0, send(WHOLE)),
        # Who was asked for nothing gets no 0.
        (EXCUSED, CLOSED_WITH_ZERO, None, NOTHING),
        # Nothing is lowered in silence.
        (MOST, COMPLETE, WHOLE, ask(None)),
        (NONE, PROPORTIONAL, WHOLE, ask(None)),
        (THIRD, PROPORTIONAL, WHOLE, ask(333_333)),
        (NONE, CLOSED_WITH_ZERO, WHOLE, ask(0)),
        # Points that partners gave count by choice only, and wait until there are some.
        (Progress(Fraction(1), True, points=Fraction(1, 2)), COMPLETE, None, send(WHOLE)),
        (DONE, POINTS_COUNT, None, send(600_000)),
        (Progress(Fraction(1), True, points=Fraction(1, 2)), POINTS_COUNT, 600_000, send(800_000)),
        (Progress(Fraction(1, 3), points=Fraction(1)), POINTS_COUNT, None, NOTHING),
        (DONE, replace(POINTS_COUNT, is_closed=True), 600_000, send(WHOLE)),
        # An ungraded activity sends nothing, whatever was sent before.
        (DONE, Scoring(ScoreMode.NONE), None, NOTHING),
        (NONE, Scoring(ScoreMode.NONE, zero_at_close=True, is_closed=True), WHOLE, NOTHING),
    ],
)
def test_what_follows_from_progress(progress: Progress, scoring: Scoring, told: int | None, decision: Decision) -> None:
    assert score_to_send(progress, scoring, told) == decision


fractions = st.fractions(min_value=0, max_value=1)
scorings = st.builds(Scoring, st.sampled_from(ScoreMode), st.booleans(), st.booleans())
shares = st.none() | st.integers(0, WHOLE)


@given(fractions, scorings, shares)
def test_what_is_sent_is_never_less_than_what_was_told(fraction: Fraction, scoring: Scoring, told: int | None) -> None:
    decision = score_to_send(Progress(fraction, fraction == 1), scoring, told)
    if decision.step is Step.SEND:
        assert decision.share is not None
        assert told is None or decision.share > told
        assert 0 <= decision.share <= WHOLE


@given(fractions, scorings)
def test_a_zero_is_sent_only_at_a_close_that_asks_for_one(fraction: Fraction, scoring: Scoring) -> None:
    if due_share(Progress(fraction, fraction == 1), scoring) == 0:
        assert scoring.is_closed
        assert scoring.zero_at_close


@given(fractions, fractions, st.sampled_from([COMPLETE, PROPORTIONAL]))
def test_more_progress_is_never_worth_less(one: Fraction, other: Fraction, scoring: Scoring) -> None:
    less, more = sorted([one, other])
    worth = [due_share(Progress(fraction, fraction == 1), scoring) for fraction in (less, more)]
    assert (worth[0] or 0) <= (worth[1] or 0)


@given(fractions, scorings, shares)
def test_what_was_sent_settles_the_matter(fraction: Fraction, scoring: Scoring, told: int | None) -> None:
    progress = Progress(fraction, fraction == 1)
    decision = score_to_send(progress, scoring, told)
    if decision.step is Step.SEND:
        assert score_to_send(progress, scoring, decision.share) == NOTHING


@pytest.mark.parametrize(
    ("share", "maximum", "shown"),
    [(WHOLE, 20, 20), (0, 20, 0), (333_333, 20, 6.6667), (500_000, 5, 2.5), (WHOLE, 1, 1), (666_666, 100, 66.6666)],
)
def test_points_are_whole_where_they_can_be(share: int, maximum: int, shown: float) -> None:
    found = points(share, maximum)
    assert found == shown
    assert type(found) is type(shown)


@pytest.mark.parametrize(
    ("share", "score", "maximum", "same"),
    [
        (WHOLE, 20.0, 20.0, True),
        (WHOLE, 100.0, 100.0, True),
        (333_333, 6.66667, 20.0, True),
        (WHOLE, 19.0, 20.0, False),
        (0, 0.0, 20.0, True),
        (WHOLE, 5.0, 0.0, False),
    ],
)
def test_a_result_is_compared_in_its_own_scale(share: int, score: float, maximum: float, same: bool) -> None:
    assert is_same_score(share, score, maximum) is same
