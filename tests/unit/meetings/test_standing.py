"""How a meeting stands, from its times and who is in the group now."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.meetings.rules.standing import MeetingView, State, TimeView, meeting_view
from lti_tool.meetings.rules.times import DateOf

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
AHEAD, OVER = NOW + timedelta(days=1), NOW - timedelta(days=1)
METTE, JONAS = 1, 2


def time(number: int = 1, state: str = "proposed", at: datetime = AHEAD, *missing: int) -> TimeView:
    date = DateOf(1, at, at + timedelta(minutes=45))
    return TimeView(number, METTE, state, 45, "", "UTC", None, (date,), frozenset(), missing)


def view(*times: TimeView, members: tuple[int, ...] = (METTE, JONAS)) -> MeetingView:
    return meeting_view(1, 1, {}, times, members=members, due_at=None, now=NOW)


@pytest.mark.parametrize(
    ("times", "state"),
    [
        ((), State.NO_TIME),
        ((time(1, "proposed", AHEAD, JONAS),), State.PROPOSED),
        ((time(1, "proposed", OVER, JONAS),), State.NO_TIME),
        ((time(1, "agreed"),), State.AGREED),
        ((time(1, "agreed", OVER),), State.PAST),
        ((time(1, "agreed", OVER), time(2, "proposed", AHEAD, JONAS)), State.PROPOSED),
        ((time(1, "agreed"), time(2, "proposed", AHEAD, JONAS)), State.AGREED),
        ((time(1, "agreed", AHEAD, JONAS),), State.PROPOSED),
        ((time(1, "canceled"),), State.CANCELED),
        ((time(1, "canceled", OVER),), State.NO_TIME),
        ((time(2, "agreed"), time(1, "canceled")), State.AGREED),
        ((time(2, "proposed", AHEAD, JONAS), time(1, "canceled")), State.PROPOSED),
    ],
)
def test_the_state_in_a_word(times: tuple[TimeView, ...], state: State) -> None:
    assert view(*times).state is state


def test_a_meeting_takes_two() -> None:
    for members in ((METTE,), ()):
        for state in ("proposed", "agreed"):
            assert view(time(1, state), members=members).state is State.NO_TIME


def test_proposals_come_by_moment() -> None:
    later, sooner = time(1, "proposed", AHEAD + timedelta(days=1), JONAS), time(2, "proposed", AHEAD, JONAS)
    assert [one.id for one in view(later, sooner).proposed] == [2, 1]


TIMES = st.builds(
    lambda number, state, hours, missing: time(number, state, NOW + timedelta(hours=hours), *missing),
    st.integers(1, 99),
    st.sampled_from(["proposed", "agreed", "canceled"]),
    st.integers(-50, 50),
    st.lists(st.sampled_from([METTE, JONAS]), max_size=2, unique=True),
)


@given(st.lists(TIMES, max_size=5), st.sampled_from([(), (METTE,), (METTE, JONAS)]))
def test_whatever_is_kept_the_word_and_what_is_shown_agree(times: list[TimeView], members: tuple[int, ...]) -> None:
    seen = view(*times, members=members)
    assert (seen.agreed is None) or not seen.agreed.missing
    match seen.state:
        case State.AGREED | State.PAST:
            assert seen.agreed is not None
        case State.PROPOSED:
            assert seen.proposed
        case State.CANCELED:
            assert seen.canceled is not None
        case State.NO_TIME:
            assert seen.agreed is None
            assert seen.proposed == ()
            assert seen.canceled is None
