"""Settings, dates and the life of an activity."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lti_tool.activities.errors import StepNotPossible
from lti_tool.activities.kinds import blocks
from lti_tool.activities.kinds.observation import GIVE_FEEDBACK, OBSERVATION, OBSERVER_FEEDBACK
from lti_tool.activities.rules import (
    ActivitySettings,
    ActivityState,
    Completion,
    Flaw,
    NotReady,
    Relative,
    Release,
    RoundDates,
    SettingsProblem,
    Transition,
    check,
    copy_of,
    deadline,
    history,
    likely_sources,
    local_parts,
    opening,
    state_after,
    usable_zone,
    why_not_ready,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SOON, LATER, BEFORE = NOW + timedelta(days=7), NOW + timedelta(days=14), NOW - timedelta(days=7)
GOOD = ActivitySettings(
    kind="observation",
    title="Observe",
    instructions="Watch.",
    time_zone="Europe/Stockholm",
    rounds=(RoundDates(due_at=SOON), RoundDates(due_at=LATER)),
    completion=Completion.usual(OBSERVATION),
)


def flaws(settings: ActivitySettings, before: ActivitySettings | None = None) -> list[SettingsProblem]:
    return check(settings, now=NOW, before=before)


def test_good_settings_have_no_flaw() -> None:
    assert flaws(GOOD) == []


def test_rounds_need_no_dates() -> None:
    assert flaws(replace(GOOD, rounds=(RoundDates(),))) == []


@pytest.mark.parametrize(
    ("changed", "flaw"),
    [
        ({"title": ""}, Flaw.TITLE_MISSING),
        ({"title": "t" * 256}, Flaw.TITLE_TOO_LONG),
        ({"instructions": "i" * 10_001}, Flaw.INSTRUCTIONS_TOO_LONG),
        ({"time_zone": "99"}, Flaw.ZONE_UNKNOWN),
        ({"time_zone": "../../etc/passwd"}, Flaw.ZONE_UNKNOWN),
        ({"rounds": ()}, Flaw.NO_ROUND),
        ({"rounds": (RoundDates(),) * 13}, Flaw.TOO_MANY_ROUNDS),
        ({"completion": Completion({})}, Flaw.NOTHING_COUNTS),
        ({"completion": Completion({"write_notes": 21})}, Flaw.NUMBER_OUT_OF_RANGE),
        ({"score_maximum": 0}, Flaw.SCORE_OUT_OF_RANGE),
        ({"score_maximum": 1001}, Flaw.SCORE_OUT_OF_RANGE),
        ({"points_share": 101}, Flaw.POINTS_SHARE_OUT_OF_RANGE),
        ({"kind": "role_play", "points_share": 10}, Flaw.POINTS_OF_ROLE_PLAY),
        ({"kind": "rehearsal", "points_share": 10}, Flaw.POINTS_OF_ROLE_PLAY),
    ],
)
def test_each_flaw_is_found_alone(changed: dict[str, object], flaw: Flaw) -> None:
    step = "write_notes" if flaw is Flaw.NUMBER_OUT_OF_RANGE else None
    assert flaws(replace(GOOD, **changed)) == [SettingsProblem(flaw, step=step)]


def test_a_round_is_not_due_before_it_opens() -> None:
    backwards = replace(GOOD, rounds=(RoundDates(opens_at=LATER, due_at=SOON),))
    assert flaws(backwards) == [SettingsProblem(Flaw.DUE_BEFORE_OPEN, 1)]


def test_a_round_is_not_due_before_an_earlier_one() -> None:
    crossed = replace(GOOD, rounds=(RoundDates(due_at=LATER), RoundDates(), RoundDates(due_at=SOON)))
    assert flaws(crossed) == [SettingsProblem(Flaw.DUE_BEFORE_EARLIER_ROUND, 3)]


def test_a_new_due_date_is_not_in_the_past_but_a_known_one_may_be() -> None:
    running = replace(GOOD, rounds=(RoundDates(due_at=BEFORE), RoundDates(due_at=LATER)))
    assert flaws(running) == [SettingsProblem(Flaw.DUE_PASSED, 1)]
    assert flaws(running, before=running) == []
    moved = replace(running, rounds=(RoundDates(due_at=BEFORE - timedelta(days=1)), RoundDates(due_at=LATER)))
    assert flaws(moved, before=running) == [SettingsProblem(Flaw.DUE_PASSED, 1)]


def test_release_at_the_due_date_needs_every_due_date() -> None:
    waiting = replace(GOOD, release=Release.AT_DUE, rounds=(RoundDates(due_at=SOON), RoundDates()))
    assert flaws(waiting) == [SettingsProblem(Flaw.NO_DUE_FOR_RELEASE, 2)]


def test_a_copy_keeps_what_is_to_come_and_clears_what_has_passed() -> None:
    past = replace(GOOD, rounds=(RoundDates(BEFORE, SOON), RoundDates(BEFORE, BEFORE), RoundDates(SOON, LATER)))
    copy = copy_of(past, now=NOW)
    assert copy.rounds == (RoundDates(None, SOON), RoundDates(None, None), RoundDates(SOON, LATER))
    assert replace(copy, rounds=past.rounds) == past


# Dates


def test_a_date_without_a_time_ends_at_2359_there() -> None:
    assert deadline(date(2026, 12, 24), None, "Asia/Tokyo") == datetime(2026, 12, 24, 14, 59, tzinfo=UTC)
    assert opening(date(2026, 12, 24), None, "Asia/Tokyo") == datetime(2026, 12, 23, 15, 0, tzinfo=UTC)


def test_a_time_that_clocks_jump_over_lands_after_the_gap() -> None:
    # Stockholm, 29 March 2026: 02:00 becomes 03:00.
    for of in (deadline, opening):
        moment = of(date(2026, 3, 29), time(2, 30), "Europe/Stockholm")
        assert local_parts(moment, "Europe/Stockholm") == (date(2026, 3, 29), time(3, 30))


def test_an_hour_that_comes_twice_opens_at_the_first_and_is_due_at_the_second() -> None:
    day, at = date(2026, 10, 25), time(2, 30)
    assert opening(day, at, "Europe/Stockholm") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert deadline(day, at, "Europe/Stockholm") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_day_whose_midnight_is_jumped_over_opens_when_it_begins() -> None:
    # Beirut, 29 March 2026: midnight becomes 01:00.
    assert local_parts(opening(date(2026, 3, 29), None, "Asia/Beirut"), "Asia/Beirut") == (
        date(2026, 3, 29),
        time(1, 0),
    )


@given(
    some.dates(date(2000, 1, 1), date(2100, 12, 31)),
    some.times().map(lambda at: at.replace(second=0, microsecond=0)),
    some.sampled_from(["Europe/Stockholm", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
)
def test_what_is_shown_and_read_again_is_the_same_moment(day: date, at: time, zone: str) -> None:
    moment = deadline(day, at, zone)
    assert deadline(*local_parts(moment, zone), zone) == moment
    assert deadline(day, at, zone) >= opening(day, at, zone)
    assert moment.utcoffset() == timedelta(0)


def test_a_platform_that_sends_no_usable_zone_does_not_choose_one() -> None:
    assert usable_zone("99", None, "", "Europe/Oslo") == "Europe/Oslo"
    assert usable_zone("Mars/Phobos") == "UTC"


# Life


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, NotReady.NOT_SET_UP),
        ("draft", NotReady.DRAFT),
        ("unconfirmed", NotReady.UNCONFIRMED),
        ("ready", None),
        ("closed", None),
    ],
)
def test_learners_come_in_when_it_is_ready_and_read_when_it_is_closed(
    state: str | None, reason: NotReady | None
) -> None:
    assert why_not_ready(state) == reason


LEADS = {
    ("draft", Transition.CONFIRM): "ready",
    ("unconfirmed", Transition.CONFIRM): "ready",
    ("ready", Transition.CONFIRM): "ready",
    ("ready", Transition.CLOSE): "closed",
    ("closed", Transition.CLOSE): "closed",
    ("closed", Transition.REOPEN): "ready",
    ("ready", Transition.REOPEN): "ready",
}


@pytest.mark.parametrize("state", list(ActivityState))
@pytest.mark.parametrize("step", list(Transition))
def test_every_step_leads_where_the_table_says_or_nowhere(state: ActivityState, step: Transition) -> None:
    if (state, step) in LEADS:
        assert state_after(state, step) == LEADS[state, step]
    else:
        with pytest.raises(StepNotPossible):
            state_after(state, step)


def test_completion_survives_the_database_and_older_versions_of_itself() -> None:
    usual = Completion.usual(OBSERVATION)
    completion = Completion({**usual.asked, "write_notes": 3, "give_feedback": 0})
    assert Completion.from_json(completion.to_json(), OBSERVATION) == completion
    assert Completion.from_json({}, OBSERVATION) == usual
    # Activities of earlier versions, which did not know the step for the observer, count what they counted.
    assert usual.counted == {"give_feedback", "acknowledge", "observer_feedback"}
    earlier = Completion.from_json({"give_feedback": 1, "acknowledge": 1}, OBSERVATION)
    assert earlier.counted == {"give_feedback", "acknowledge"}
    assert not earlier.with_every_task(OBSERVATION).of(OBSERVER_FEEDBACK)


def test_each_seat_is_looked_at_in_its_own_step_where_people_do_that_step() -> None:
    asked = Completion.usual(OBSERVATION).counted
    both, one_way = OBSERVATION, OBSERVATION.going("seat")
    assert both.looked_at(GIVE_FEEDBACK, "observer", asked) == {"", "observed"}
    assert both.looked_at(OBSERVER_FEEDBACK, "observed", asked) == {"observer"}
    assert both.looked_at(blocks.SELF_ASSESSMENT, "observed", asked) == {"", "observed", "observer"}
    assert one_way.looked_at(GIVE_FEEDBACK, "observed", asked) == {"", "observed"}
    assert one_way.looked_at(blocks.SELF_ASSESSMENT, "observer", asked) == {"", "observer"}
    # Without a step of its own, the seat is looked at where everybody gives feedback, as before.
    assert both.looked_at(GIVE_FEEDBACK, "observed", {"give_feedback"}) == {"", "observed", "observer"}
    assert one_way.looked_at(GIVE_FEEDBACK, None, set()) == {"", "observed", "observer"}


# Copies


FIRST = Relative(1, course_id=1, link_id="10", context_id="A", link_title="Observe each other", title="Observe")
SECOND = Relative(4, course_id=1, link_id="11", context_id="A", link_title="Second exchange", title="Observe")
COPY = Relative(2, course_id=2, link_id="20", context_id="B", link_title="Observe each other", title="Observe more")
OTHER = Relative(3, course_id=2, link_id="21", context_id="B", link_title="Second exchange", title="Other")


def sources(
    family: list[Relative],
    *,
    course_id: int = 3,
    links: tuple[str, ...] = (),
    contexts: tuple[str, ...] = (),
    title: str | None = None,
) -> list[int]:
    return likely_sources(family, course_id=course_id, home_id=1, links=links, contexts=contexts, title=title)


def test_a_link_that_says_what_it_was_copied_from_is_believed() -> None:
    assert sources([FIRST, COPY, OTHER], links=("99", "21", "10"), contexts=("A",), title="Observe each other") == [3]


def test_the_newest_course_with_a_relative_counts() -> None:
    assert sources([FIRST, COPY], contexts=("B", "A")) == [2]
    assert sources([FIRST], contexts=("B", "A")) == [1]


@pytest.mark.parametrize(
    ("title", "source"),
    [("Observe each other", 2), ("second  EXCHANGE", 3), ("other", 3), ("Second exchange (kopia)", 3)],
)
def test_of_several_in_one_course_the_title_tells(title: str, source: int) -> None:
    assert sources([FIRST, COPY, OTHER], contexts=("B", "A"), title=title) == [source]


def test_a_title_of_an_older_course_tells_more_than_another_title_of_the_newest() -> None:
    assert sources([FIRST, SECOND, COPY], contexts=("B", "A"), title="Second exchange") == [4]


@pytest.mark.parametrize("title", [None, "", "Something else"])
def test_where_no_title_tells_all_of_the_newest_course_come_into_question(title: str | None) -> None:
    assert sources([FIRST, COPY, OTHER], contexts=("B", "A"), title=title) == [2, 3]


def test_without_a_history_the_own_course_counts_and_then_the_first_activity_s() -> None:
    assert sources([FIRST, COPY], course_id=2) == [2]
    assert sources([FIRST, COPY, OTHER], course_id=2) == [2, 3]
    assert sources([FIRST, COPY, OTHER], course_id=2, title="Second exchange (copy)") == [3]
    assert sources([FIRST, SECOND], course_id=9, title="Second exchange") == [4]
    assert sources([COPY], course_id=9) == []


def test_a_variable_that_the_platform_left_as_it_was_is_no_history() -> None:
    assert history("$Context.id.history") == []
    assert history(None) == []
    assert history(" 4, 2,,1 ") == ["4", "2", "1"]
