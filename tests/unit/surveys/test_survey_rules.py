"""When a survey is asked, and what changed."""

from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.surveys.rules import ITEMS, Change, Item, Moment, asked_now, changes_of, items_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("answered", "first_due", "last_due", "is_complete", "asked"),
    [
        ((), NOW + WEEK, NOW + 2 * WEEK, False, Moment.BEFORE),
        ((), None, None, False, Moment.BEFORE),
        (("before",), NOW + WEEK, NOW + 2 * WEEK, False, None),
        ((), NOW - WEEK, NOW + WEEK, False, None),
        ((), NOW - 2 * WEEK, NOW - WEEK, False, Moment.AFTER),
        (("before",), NOW + WEEK, NOW + WEEK, True, Moment.AFTER),
        (("before", "after"), NOW - 2 * WEEK, NOW - WEEK, True, None),
    ],
)
def test_a_survey_is_asked_before_the_first_round_is_due_and_at_the_end(
    answered: tuple[str, ...],
    first_due: datetime | None,
    last_due: datetime | None,
    is_complete: bool,
    asked: Moment | None,
) -> None:
    moments = [Moment(one) for one in answered]
    dates = {"first_due": first_due, "last_due": last_due, "now": NOW}
    assert asked_now(moments, has_begun=False, is_complete=is_complete, **dates) is asked
    begun = asked if asked is Moment.AFTER else None
    assert asked_now(moments, has_begun=True, is_complete=is_complete, **dates) is begun


def test_only_people_who_answered_both_times_are_compared() -> None:
    item = Item("trust", "…")
    before = {1: {"trust": 2}, 2: {"trust": 3}, 3: {"trust": 4}, 4: {"trust": 1}}
    after = {1: {"trust": 4}, 2: {"trust": 3}, 3: {"trust": 5}, 5: {"trust": 5}}
    assert changes_of([item], before, after) == [Change(item, 3, 3.0, 4.0, 1.0, 1.0)]
    assert changes_of([item], before, {1: {"trust": 4}, 2: {"trust": 3}, 3: {"feedback": 5}}) == [item]
    assert changes_of([item], {}, {}) == [item]


def test_own_sentences_stand_behind_the_usual_ones() -> None:
    assert [item.key for item in items_of(["I listen."])] == [*ITEMS, "I listen."]
