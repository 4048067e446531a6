"""When a learner may go on without a partner, and when steps that need the partner are asked for no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.meetings.rules.waiting import Wait

ASKED = datetime(2026, 11, 2, 9, tzinfo=UTC)
DUE = ASKED + timedelta(days=7)


def hours(number: float) -> datetime:
    return ASKED + timedelta(hours=number)


def wait(**moments: datetime) -> Wait:
    return Wait(1, 1, 2, ASKED, ASKED, **moments)


@pytest.mark.parametrize(
    ("now", "met_at", "may"),
    [
        (hours(23.9), None, False),
        (hours(24), None, True),
        (hours(2), hours(1), True),
        (hours(2), hours(3), False),
    ],
)
def test_a_partner_has_a_day_to_answer_unless_they_missed_the_meeting(
    now: datetime, met_at: datetime | None, may: bool
) -> None:
    assert wait().may_go_on(now=now, met_at=met_at) is may


@pytest.mark.parametrize(
    ("moments", "due_at", "now", "is_in_vain"),
    [
        ({}, DUE, DUE, False),
        ({}, DUE, DUE + timedelta(seconds=1), True),
        ({}, None, DUE, False),
        ({}, hours(23), hours(48), False),
        ({"answered_at": DUE}, DUE, DUE + timedelta(days=1), False),
        ({"answered_at": DUE + timedelta(hours=1)}, DUE, DUE + timedelta(days=1), True),
        ({"alone_at": hours(30)}, None, hours(30), True),
        ({"alone_at": hours(30), "answered_at": hours(31)}, DUE, hours(32), True),
    ],
)
def test_nobody_is_asked_for_what_needs_a_partner_who_never_answered(
    moments: dict[str, datetime], due_at: datetime | None, now: datetime, is_in_vain: bool
) -> None:
    assert wait(**moments).is_in_vain(due_at=due_at, now=now) is is_in_vain
