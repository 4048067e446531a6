"""Steps of the checklist that are done with goals and actions."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.kinds import KINDS, kind_of
from lti_tool.activities.kinds.blocks import ACTION_WRITTEN, GOAL_CHECK_IN, GOAL_SET, LOOK_BACK
from lti_tool.activities.rules import Completion
from lti_tool.progress import rules
from lti_tool.progress.rules import MyGroup, Progress, RoundDates, State, WaitsFor, Written

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
STEPS = (LOOK_BACK, GOAL_CHECK_IN, GOAL_SET, ACTION_WRITTEN)
ALL = Completion({step.key: 1 for step in STEPS})
FIRST, SECOND = RoundDates(1, NOW - 9 * DAY, NOW - 2 * DAY), RoundDates(2, NOW - DAY, NOW + DAY)
LATER = RoundDates(3, None, NOW + 9 * DAY)


def look(*mine: Written, completion: Completion = ALL, partners: tuple[int, ...] = (7,)) -> Progress:
    """The checklist in the second of three rounds."""
    people = tuple(rules.Partner(member_id) for member_id in partners)
    rounds = (FIRST, SECOND, LATER)
    return rules.checklist(
        STEPS,
        completion,
        rounds,
        my_groups=[MyGroup(dates.number, people) for dates in rounds],
        mine=mine,
        theirs=(),
        extras=(),
        now=NOW,
    )


def states(progress: Progress) -> dict[tuple[str, int], State]:
    return {(item.step.key, item.round): item.state for item in progress.items}


def test_what_is_counted_is_done_by_doing_it() -> None:
    done = states(
        look(
            Written("goal_set", 1, count=2),
            Written("goal_check_in", 2, count=1),
            Written("look_back", 2, count=1, left=2),
        )
    )
    assert done == {
        ("goal_check_in", 1): State.MISSED,
        ("goal_set", 1): State.DONE,
        ("action_written", 1): State.MISSED,
        ("look_back", 2): State.STARTED,
        ("goal_check_in", 2): State.DONE,
        ("action_written", 2): State.OPEN,
        ("look_back", 3): State.WAITING,
        ("goal_check_in", 3): State.OPEN,
        ("action_written", 3): State.OPEN,
    }


def test_looking_back_is_needed_only_where_actions_were_open() -> None:
    items = {item.round: item for item in look(completion=Completion({"look_back": 1})).items}
    assert (items[2].state, items[2].counts) == (State.EXCUSED, False)
    assert (items[3].state, items[3].counts, items[3].waits_for) == (State.WAITING, True, WaitsFor.ROUND)
    looked = look(Written("look_back", 2, count=2, left=2), completion=Completion({"look_back": 1})).items[0]
    assert (looked.state, looked.done, looked.wanted) == (State.DONE, 2, 2)


def test_without_a_partner_what_is_done_counts_and_the_rest_waits() -> None:
    alone = look(Written("goal_set", 1, count=1), Written("action_written", 2, count=1), partners=())
    assert [item.step.key for item in alone.items if item.counts and item.state is State.DONE] == [
        "goal_set",
        "action_written",
    ]
    assert all(item.state in {State.DONE, State.WAITING, State.EXCUSED} for item in alone.items)


@given(
    counts=st.dictionaries(st.tuples(st.sampled_from(STEPS), st.integers(1, 3)), st.integers(0, 3)),
    left=st.integers(0, 3),
    more=st.tuples(st.sampled_from(STEPS), st.integers(1, 3)),
    is_alone=st.booleans(),
)
def test_doing_more_never_lowers_the_fraction(
    counts: dict[tuple[object, int], int], left: int, more: tuple[object, int], is_alone: bool
) -> None:
    def fraction(done: dict[tuple[object, int], int]) -> Progress:
        mine = (Written(step.key, number, count=count, left=left) for (step, number), count in done.items())
        return look(*mine, partners=() if is_alone else (7,))

    known = {(LOOK_BACK, number): 0 for number in (2, 3)} | counts
    before, after = fraction(known), fraction({**known, more: known.get(more, 0) + 1})
    assert after.fraction >= before.fraction
    assert after.is_complete or not before.is_complete


def test_an_activity_from_before_counts_what_it_counted() -> None:
    goals = kind_of("goals")
    before = Completion.from_json({"wish": 1, "agree": 1, "meet": 1}, goals)
    assert (before.asked["wish"], before.asked["goal_set"]) == (1, 0)
    new = Completion.usual(goals)
    assert (new.asked["wish"], new.asked["goal_set"]) == (0, 1)


def test_only_goal_setting_counts_goals_unless_a_designer_says_so() -> None:
    counted = {
        (kind.key, step.key)
        for kind in KINDS.values()
        for step in kind.steps
        if step.counted_by and Completion.usual(kind).of(step)
    }
    assert counted == {("goals", "goal_set")}
