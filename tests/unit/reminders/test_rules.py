"""What waits for a learner, what a letter says of it, and at which hour it may be sent."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.kinds import kind_of
from lti_tool.progress.rules import Item, Progress, State
from lti_tool.reminders import rules
from lti_tool.reminders.rules import MOST_OVERDUE, News, Rule, Told, Waiting, waiting_for, worth_telling

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
GIVE = kind_of("observation").step("give_feedback")
NOTHING = News({}, {})


def item(state: State, due_in_hours: int | None, *, round: int = 1, counts: bool = True) -> Item:
    due_at = None if due_in_hours is None else NOW + timedelta(hours=due_in_hours)
    return Item(GIVE, round, 7, state, counts=counts, due_at=due_at)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (item(State.MISSED, -1), [Rule.OVERDUE]),
        (item(State.OPEN, 71), [Rule.DUE_SOON]),
        (item(State.STARTED, 1), [Rule.DUE_SOON]),
        (item(State.OPEN, 73), []),
        (item(State.OPEN, None), []),
        (item(State.DONE, 1), []),
        (item(State.WAITING, 1), []),
        (item(State.EXCUSED, -1, counts=False), []),
        (item(State.OPEN, 1, counts=False), []),
    ],
)
def test_what_counts_and_is_due_is_told_and_nothing_else(what: Item, expected: list[Rule]) -> None:
    assert [one.rule for one in waiting_for(Progress((what,)), {}, NOTHING, now=NOW)] == expected


def test_news_are_told_to_those_who_have_not_looked_since() -> None:
    progress = Progress((item(State.OPEN, None),))
    seen = NOW - timedelta(days=1)
    for at, expected in ((seen - timedelta(hours=1), []), (seen + timedelta(hours=1), [Rule.CHANGE, Rule.PARTNER])):
        news = News({}, {}, partners_at=at, moved={1: at}, seen_at=seen)
        assert [one.rule for one in waiting_for(progress, {}, news, now=NOW)] == expected
    news = News({1: [4, 9]}, {2: seen}, seen_at=NOW)
    found = waiting_for(progress, {1: 2}, news, now=NOW)
    assert [(one.rule, one.round) for one in found] == [(Rule.WAITS, 2), (Rule.TIME, 1), (Rule.FEEDBACK, 1)]


def test_more_time_is_another_occasion() -> None:
    marks = {waiting_for(Progress((item(State.OPEN, hours),)), {}, NOTHING, now=NOW)[0].key for hours in (1, 2, 2)}
    assert len(marks) == 2


OVERDUE, SOON = Waiting(Rule.OVERDUE, 1, mark="a"), Waiting(Rule.DUE_SOON, 2, mark="b")
STAFF = Waiting(Rule.STAFF, mark="3", act_id=3)


def test_what_is_overdue_is_told_three_times_and_then_never_again() -> None:
    told: list[Told] = []
    for hour in range(24 * 60):
        now = NOW + timedelta(hours=hour)
        if worth_telling([OVERDUE], told, a_week=5, now=now):
            told.append(Told(OVERDUE.key, now))
    assert [one.at - NOW for one in told] == [timedelta(days=days) for days in (0, 3, 6)]
    assert len(told) == MOST_OVERDUE


def test_a_cap_holds_back_everything_but_staff() -> None:
    told = [Told(("time", 1, str(n)), NOW - timedelta(days=n)) for n in (1, 2)]
    assert worth_telling([SOON, STAFF], told, a_week=2, now=NOW) == (STAFF,)
    assert worth_telling([SOON, STAFF], told, a_week=3, now=NOW) == (SOON, STAFF)
    assert worth_telling([SOON], told, a_week=2, now=NOW + timedelta(days=6)) == (SOON,)
    assert worth_telling([SOON, STAFF], [], a_week=0, now=NOW) == (STAFF,)
    assert worth_telling([STAFF], [Told(STAFF.key, NOW)], a_week=5, now=NOW) == ()


@given(
    hours=st.lists(st.integers(1, 24 * 40), max_size=40),
    a_week=st.integers(0, 5),
)
def test_no_row_of_moments_tells_more_than_the_cap(hours: list[int], a_week: int) -> None:
    told: list[Told] = []
    for hour in sorted(hours):
        now = NOW + timedelta(hours=hour)
        waiting = [Waiting(Rule.TIME, 1, mark=str(hour)), OVERDUE]
        told += [Told(one.key, now) for one in worth_telling(waiting, told, a_week=a_week, now=now)]
    letters = sorted({one.at for one in told})
    for at in letters:
        assert sum(at - rules.WEEK < other <= at for other in letters) <= a_week


ZONES = ("Europe/Stockholm", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Etc/GMT-14")


@given(st.integers(-5_000_000, 5_000_000), st.sampled_from(ZONES))
def test_a_letter_is_sent_by_day_on_a_working_day_wherever_somebody_is(minutes: int, name: str) -> None:
    now = NOW + timedelta(minutes=minutes)
    zone = ZoneInfo(name)
    local = now.astimezone(zone)
    assert rules.is_decent(now, zone) == (local.weekday() < 5 and 8 <= local.hour < 18)
    if not rules.is_decent(now, zone):
        later = (now + timedelta(minutes=30 * step) for step in range(2 * 24 * 5))
        assert any(rules.is_decent(moment, zone) for moment in later)


def test_every_date_has_a_decent_hour_in_the_days_in_which_it_is_due_soon() -> None:
    zone = ZoneInfo("Europe/Stockholm")
    for hour in range(24 * 8):
        due_at = NOW + timedelta(hours=hour)
        before = (due_at - timedelta(minutes=30 * step) for step in range(1, int(rules.SOON / timedelta(minutes=30))))
        assert any(rules.is_decent(moment, zone) for moment in before), due_at


def test_an_hour_that_clocks_leave_out_is_never_waited_for() -> None:
    """On 28 March 2027 clocks in Stockholm go from 2 to 3, and in Apia 30 December 2011 did not take place."""
    apia = ZoneInfo("Pacific/Apia")
    days = {rules.day_of(datetime(2011, 12, 30, tzinfo=UTC) + timedelta(hours=hour), apia) for hour in range(48)}
    assert days == {date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)}
    monday = datetime(2027, 3, 29, 6, 0, tzinfo=UTC)
    assert rules.is_decent(monday, ZoneInfo("Europe/Stockholm"))
    assert not rules.is_decent(monday - timedelta(minutes=1), ZoneInfo("Europe/Stockholm"))


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("mette@campus.example", True),
        ("m.s+x@campus.example", True),
        ("a@b@c.example", False),
        ("a@b.example\nBcc: all@b.example", False),
        ("a@b.example, c@d.example", False),
        ("Mette <a@b.example>", False),
        ("å@b.example", False),
        ("@b.example", False),
        ("a@", False),
        ("a" * 250 + "@b.example", False),
        ("", False),
        (None, False),
    ],
)
def test_only_one_plain_address_gets_a_letter(address: str | None, is_one: bool) -> None:
    assert rules.is_deliverable(address) is is_one


@pytest.mark.parametrize(
    ("family", "context", "roster", "address"),
    [
        ("moodle", "12", None, "https://lms.example/moodle/course/view.php?id=12"),
        ("moodle", "../x", None, "https://lms.example"),
        (
            "canvas",
            "a1b2",
            "https://lms.example/api/lti/courses/77/names_and_roles",
            "https://lms.example/courses/77",
        ),
        ("canvas", "a1b2", "https://evil.example/api/lti/courses/77/names_and_roles", "https://lms.example"),
        ("canvas", "a1b2", "https://lms.example/other", "https://lms.example"),
        ("desire2learn", "6606", None, "https://lms.example/d2l/home/6606"),
        (None, "12", None, "https://lms.example"),
    ],
)
def test_a_letter_leads_to_the_course_where_its_address_is_known(
    family: str | None, context: str, roster: str | None, address: str
) -> None:
    issuer = "https://lms.example/moodle/"
    assert rules.course_address(family, issuer, ["https://lms.example"], context, roster) == address


def test_without_an_origin_a_letter_has_no_link() -> None:
    assert rules.course_address("blackboard", "https://blackboard.com", [], "x", None) is None
