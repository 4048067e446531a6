"""The completion checklist: a table of cases, and what holds in every one of them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.activities.kinds.blocks import AGREE, MEET
from lti_tool.activities.kinds.kind import Step
from lti_tool.activities.kinds.observation import (
    ACKNOWLEDGE,
    GIVE_FEEDBACK,
    OBSERVATION,
    OBSERVER_FEEDBACK,
    WRITE_NOTES,
)
from lti_tool.activities.rules import Completion
from lti_tool.progress import rules
from lti_tool.progress.rules import (
    Extra,
    MyGroup,
    Partner,
    Progress,
    RoundDates,
    State,
    WaitsFor,
    Written,
    with_points,
)

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
DUE = NOW + 2 * DAY
METTE = 7
BOTH = Completion({"give_feedback": 1, "acknowledge": 1})
WRITING = Completion({"give_feedback": 1})
a_partner = partial(Partner, gets=frozenset(step.key for step in OBSERVATION.steps))
"""Somebody whom the person owes every step, as everyone does in a pair."""


def gave(
    round_number: int, partner_id: int, given_at: datetime | None = None, notes: int = 0, has_text: bool = False
) -> Written:
    """Feedback that the person wrote to a partner."""
    return Written("give_feedback", round_number, partner_id, given_at, notes, has_text)


@dataclass(frozen=True)
class Received:
    """Feedback that a partner gave to the person, and when it was answered."""

    round: int
    partner_id: int
    given_at: datetime
    is_released: bool = False
    acknowledged_at: datetime | None = None


def checklist(
    completion: Completion, rounds: list[RoundDates], *, given: list[Written], received: list[Received], **others: Any
) -> Progress:
    """The checklist of an observation."""
    came = [
        Written("give_feedback", one.round, one.partner_id, one.given_at, is_released=one.is_released)
        for one in received
    ]
    answered = [Written("acknowledge", one.round, one.partner_id, one.acknowledged_at) for one in received]
    return rules.checklist(OBSERVATION.steps, completion, rounds, mine=[*given, *answered], theirs=came, **others)


def look(
    completion: Completion = BOTH,
    *,
    dates: RoundDates | None = None,
    partner: Partner | None = None,
    given: Written | None = None,
    received: Received | None = None,
    extra: Extra | None = None,
    now: datetime = NOW,
    is_closed: bool = False,
) -> Progress:
    """The checklist of a person with one round and one partner."""
    return checklist(
        completion,
        [dates or RoundDates(1, None, DUE)],
        my_groups=[MyGroup(1, (partner or a_partner(METTE, due_at=DUE),))],
        given=[given] if given else [],
        received=[received] if received else [],
        extras=[extra] if extra else [],
        now=now,
        is_closed=is_closed,
    )


def state_of(progress: Progress, step: Step) -> State:
    return next(item.state for item in progress.items if item.step is step)


@pytest.mark.parametrize(
    ("case", "state", "counts"),
    [
        ({}, State.OPEN, True),
        ({"given": gave(1, METTE)}, State.OPEN, True),
        ({"given": gave(1, METTE, has_text=True)}, State.STARTED, True),
        ({"given": gave(1, METTE, NOW)}, State.DONE, True),
        ({"dates": RoundDates(1, NOW + DAY, DUE)}, State.WAITING, True),
        ({"now": DUE}, State.OPEN, True),
        ({"now": DUE + DAY}, State.MISSED, True),
        ({"now": DUE + DAY, "given": gave(1, METTE, has_text=True)}, State.MISSED, True),
        ({"now": DUE + DAY, "extra": Extra(1, due_at=DUE + 2 * DAY)}, State.OPEN, True),
        ({"now": DUE + DAY, "extra": Extra(1, is_excused=True)}, State.EXCUSED, False),
        ({"extra": Extra(1, is_excused=True), "given": gave(1, METTE, NOW)}, State.DONE, True),
        ({"partner": a_partner(METTE, is_absent=True)}, State.EXCUSED, False),
        ({"partner": a_partner(METTE, is_excused=True)}, State.EXCUSED, False),
        ({"is_closed": True}, State.MISSED, True),
    ],
)
def test_giving_feedback(case: dict[str, object], state: State, counts: bool) -> None:
    progress = look(WRITING, **case)

    assert [(item.step, item.state, item.counts) for item in progress.items] == [(GIVE_FEEDBACK, state, counts)]


@pytest.mark.parametrize(
    ("release", "step", "is_own_given", "waits_for"),
    [
        ("when_both_gave", GIVE_FEEDBACK, False, WaitsFor.OWN_FEEDBACK),
        ("when_both_gave", GIVE_FEEDBACK, True, WaitsFor.RELEASE),
        ("when_both_gave", OBSERVER_FEEDBACK, False, WaitsFor.RELEASE),
        ("at_due", GIVE_FEEDBACK, False, WaitsFor.RELEASE),
        ("by_instructor", GIVE_FEEDBACK, False, WaitsFor.INSTRUCTOR),
        ("by_instructor", OBSERVER_FEEDBACK, True, WaitsFor.INSTRUCTOR),
    ],
)
def test_what_keeps_feedback_from_its_receiver_is_said_as_it_is(
    release: str, step: Step, is_own_given: bool, waits_for: WaitsFor
) -> None:
    assert rules.why_held(step, release, is_own_given=is_own_given) is waits_for


def test_who_waits_for_an_instructor_is_not_said_to_wait_for_themselves() -> None:
    came = [Written("give_feedback", 1, METTE, NOW)]
    groups = [MyGroup(1, (a_partner(METTE, due_at=DUE),))]
    progress = rules.checklist(
        OBSERVATION.steps,
        BOTH,
        [RoundDates(1, None, DUE)],
        my_groups=groups,
        mine=[],
        theirs=came,
        extras=[],
        now=NOW,
        release="by_instructor",
    )
    assert [item.waits_for for item in progress.items if item.step.is_answer] == [WaitsFor.INSTRUCTOR]


@pytest.mark.parametrize(
    ("case", "state", "counts", "waits_for"),
    [
        ({}, State.WAITING, True, WaitsFor.FEEDBACK),
        ({"received": Received(1, METTE, NOW)}, State.WAITING, True, WaitsFor.OWN_FEEDBACK),
        (
            {"received": Received(1, METTE, NOW), "given": gave(1, METTE, NOW)},
            State.WAITING,
            True,
            WaitsFor.RELEASE,
        ),
        ({"received": Received(1, METTE, NOW, is_released=True)}, State.OPEN, True, None),
        (
            {"received": Received(1, METTE, NOW, is_released=True, acknowledged_at=NOW)},
            State.DONE,
            True,
            None,
        ),
        # The partner never wrote, and their date has passed.
        ({"now": DUE + DAY}, State.EXCUSED, False, None),
        # The partner was given more time, so one still waits.
        ({"now": DUE + DAY, "partner": a_partner(METTE, due_at=DUE + 2 * DAY)}, State.WAITING, True, WaitsFor.FEEDBACK),
        # The partner wrote late: an invitation, no duty.
        (
            {"now": DUE + 2 * DAY, "received": Received(1, METTE, DUE + DAY, is_released=True)},
            State.OPEN,
            False,
            None,
        ),
        # The partner wrote in time; that it is read late is one's own affair.
        ({"now": DUE + DAY, "received": Received(1, METTE, NOW, is_released=True)}, State.OPEN, True, None),
        ({"partner": a_partner(METTE, is_absent=True)}, State.EXCUSED, False, None),
        (
            {"partner": a_partner(METTE, is_absent=True), "received": Received(1, METTE, NOW, is_released=True)},
            State.OPEN,
            True,
            None,
        ),
        (
            {"extra": Extra(1, is_excused=True), "received": Received(1, METTE, NOW, is_released=True)},
            State.EXCUSED,
            False,
            None,
        ),
        ({"is_closed": True}, State.EXCUSED, False, None),
        ({"is_closed": True, "received": Received(1, METTE, NOW, is_released=True)}, State.MISSED, True, None),
    ],
)
def test_acknowledging_feedback(
    case: dict[str, object], state: State, counts: bool, waits_for: WaitsFor | None
) -> None:
    item = look(BOTH, **case).items[-1]

    assert (item.step, item.state, item.counts, item.waits_for) == (ACKNOWLEDGE, state, counts, waits_for)


def test_notes_are_counted_up_to_the_number_that_is_asked_for() -> None:
    asks_three = Completion({"give_feedback": 1, "write_notes": 3})

    few = look(asks_three, given=gave(1, METTE, notes=2, has_text=True)).items[0]
    enough = look(asks_three, given=gave(1, METTE, notes=5, has_text=True)).items[0]

    assert (few.step, few.state, few.done, few.wanted) == (WRITE_NOTES, State.STARTED, 2, 3)
    assert (enough.state, enough.done) == (State.DONE, 3)


def test_everything_done_is_complete_and_half_is_half() -> None:
    half = look(given=gave(1, METTE, NOW))
    whole = look(given=gave(1, METTE, NOW), received=Received(1, METTE, NOW, is_released=True, acknowledged_at=NOW))

    assert (half.fraction, half.is_complete) == (Fraction(1, 2), False)
    assert (whole.fraction, whole.is_complete, whole.next) == (Fraction(1), True, None)


def test_a_partner_who_never_writes_does_not_keep_one_from_completing() -> None:
    progress = look(given=gave(1, METTE, NOW), now=DUE + DAY)

    assert progress.is_complete


def test_who_is_excused_from_everything_is_not_complete_but_has_nothing_to_do() -> None:
    progress = look(extra=Extra(1, is_excused=True))

    assert (progress.fraction, progress.is_complete, progress.is_excused_from_all) == (Fraction(0), False, True)
    assert progress.next is None


def test_feedback_given_after_its_date_is_done_and_late() -> None:
    item = look(WRITING, given=gave(1, METTE, DUE + DAY), now=DUE + 2 * DAY).items[0]

    assert (item.state, item.is_late) == (State.DONE, True)


def test_an_extension_makes_it_in_time() -> None:
    item = look(WRITING, given=gave(1, METTE, DUE + DAY), extra=Extra(1, due_at=DUE + 2 * DAY)).items[0]

    assert not item.is_late


def test_before_a_plan_is_published_everything_waits_for_a_partner() -> None:
    progress = checklist(BOTH, [RoundDates(1), RoundDates(2)], my_groups=[], given=[], received=[], extras=[], now=NOW)

    assert {(item.state, item.waits_for, item.counts) for item in progress.items} == {
        (State.WAITING, WaitsFor.PARTNER, True)
    }
    assert progress.waiting is not None
    assert not progress.is_complete


def test_a_round_that_ended_before_somebody_came_is_not_asked_of_them() -> None:
    rounds = [RoundDates(1, None, NOW - DAY), RoundDates(2, None, DUE)]

    progress = checklist(
        WRITING,
        rounds,
        my_groups=[MyGroup(2, (a_partner(METTE, due_at=DUE),))],
        given=[gave(2, METTE, NOW)],
        received=[],
        extras=[],
        now=NOW,
    )

    assert progress.is_complete


def test_a_trio_is_asked_for_both_partners() -> None:
    group = MyGroup(1, (a_partner(METTE), a_partner(8)))

    progress = checklist(
        WRITING, [RoundDates(1)], my_groups=[group], given=[gave(1, 8, NOW)], received=[], extras=[], now=NOW
    )

    assert [(item.partner_id, item.state) for item in progress.items] == [(METTE, State.OPEN), (8, State.DONE)]


def test_a_step_that_is_asked_once_is_asked_in_the_first_round() -> None:
    groups = [MyGroup(number, (a_partner(METTE),)) for number in (1, 2)]
    rounds = [RoundDates(number) for number in (2, 1)]

    progress = rules.checklist(
        (AGREE, MEET),
        Completion({"agree": 1, "meet": 1}),
        rounds,
        my_groups=groups,
        mine=[],
        theirs=[],
        extras=[],
        now=NOW,
    )

    assert [(item.round, item.step.key) for item in progress.items] == [(1, "agree"), (1, "meet"), (2, "meet")]


def test_what_is_next_is_the_earliest_round_and_what_is_overdue_before_what_is_open() -> None:
    rounds = [RoundDates(1, None, NOW - DAY), RoundDates(2, None, DUE)]
    groups = [MyGroup(1, (a_partner(METTE), a_partner(8))), MyGroup(2, (a_partner(9),))]

    progress = checklist(
        WRITING, rounds, my_groups=groups, given=[gave(1, METTE, NOW)], received=[], extras=[], now=NOW
    )

    assert progress.next is not None
    assert (progress.next.round, progress.next.partner_id, progress.next.state) == (1, 8, State.MISSED)
    assert progress.behind_since == NOW - DAY


def test_what_counts_is_next_before_what_does_not_whatever_its_round_and_state() -> None:
    rounds = [RoundDates(1, None, NOW - 2 * DAY), RoundDates(2, None, DUE)]
    groups = [MyGroup(1, (a_partner(METTE, due_at=NOW - 2 * DAY),)), MyGroup(2, (a_partner(8, due_at=DUE),))]
    late = Received(1, METTE, NOW - DAY, is_released=True)
    given = [gave(1, METTE, NOW - 3 * DAY)]

    progress = checklist(BOTH, rounds, my_groups=groups, given=given, received=[late], extras=[], now=NOW)

    optional = progress.items[1]
    assert (optional.step, optional.round, optional.state, optional.counts) == (ACKNOWLEDGE, 1, State.OPEN, False)
    assert progress.next is not None
    assert (progress.next.step, progress.next.round, progress.next.counts) == (GIVE_FEEDBACK, 2, True)


def test_what_is_overdue_comes_before_what_is_open_in_any_round() -> None:
    rounds = [RoundDates(1, None, None), RoundDates(2, None, NOW - DAY)]
    groups = [MyGroup(1, (a_partner(METTE),)), MyGroup(2, (a_partner(8),))]

    progress = checklist(
        WRITING,
        rounds,
        my_groups=groups,
        given=[gave(1, METTE, has_text=True)],
        received=[],
        extras=[],
        now=NOW,
    )

    assert [item.state for item in progress.items] == [State.STARTED, State.MISSED]
    assert progress.next is not None
    assert progress.next.round == 2


def test_late_feedback_may_be_acknowledged_after_everything_that_counts() -> None:
    late = Received(1, METTE, DUE + DAY, is_released=True)

    progress = look(received=late, now=DUE + 2 * DAY)

    assert progress.next is not None
    assert progress.next.step is GIVE_FEEDBACK
    done = look(received=late, given=gave(1, METTE, NOW), now=DUE + 2 * DAY)
    assert done.is_complete
    assert done.next is not None
    assert done.next.step is ACKNOWLEDGE


moments = st.integers(min_value=-5, max_value=5).map(lambda days: NOW + days * DAY)
perhaps = st.one_of(st.none(), moments)
numbers = st.integers(min_value=1, max_value=3)
partners = st.builds(
    a_partner,
    st.integers(min_value=1, max_value=4),
    is_absent=st.booleans(),
    is_excused=st.booleans(),
    due_at=perhaps,
)


@st.composite
def situations(draw: st.DrawFn) -> dict[str, object]:
    rounds = [RoundDates(number, draw(perhaps), draw(perhaps)) for number in range(1, draw(numbers) + 1)]
    groups = [
        MyGroup(dates.number, tuple(draw(st.lists(partners, max_size=2, unique_by=lambda one: one.member_id))))
        for dates in rounds
        if draw(st.booleans())
    ]
    seats = [(group.round, partner.member_id) for group in groups for partner in group.partners]
    return {
        "completion": Completion(
            {
                "give_feedback": draw(st.integers(0, 1)),
                "acknowledge": draw(st.integers(0, 1)),
                "write_notes": draw(st.integers(0, 2)),
            }
        ),
        "rounds": rounds,
        "my_groups": groups,
        "given": [
            gave(*seat, draw(perhaps), draw(st.integers(0, 3)), draw(st.booleans()))
            for seat in seats
            if draw(st.booleans())
        ],
        "received": [
            Received(*seat, draw(moments), draw(st.booleans()), draw(perhaps)) for seat in seats if draw(st.booleans())
        ],
        "extras": [Extra(dates.number, draw(perhaps), draw(st.booleans())) for dates in rounds if draw(st.booleans())],
        "now": NOW,
        "is_closed": draw(st.booleans()),
    }


@given(situation=situations(), pick=st.integers(min_value=0, max_value=11), at=moments)
@settings(max_examples=500, deadline=None)
def test_doing_more_never_lowers_the_fraction(situation: dict[str, object], pick: int, at: datetime) -> None:
    before = checklist(**situation)
    seats = [(item.round, item.partner_id) for item in before.items if item.partner_id is not None]
    if not seats:
        return
    seat = seats[pick % len(seats)]
    more = dict(situation)
    kind = pick % 3
    given: list[Written] = list(situation["given"])
    received: list[Received] = list(situation["received"])
    mine = next((one for one in given if (one.round, one.partner_id) == seat), gave(*seat))
    others = [one for one in given if one is not mine]
    if kind == 0:
        more["given"] = [*others, replace(mine, given_at=mine.given_at or at)]
    elif kind == 1:
        more["given"] = [*others, replace(mine, count=mine.count + 1, has_text=True)]
    else:
        more["received"] = [
            replace(one, acknowledged_at=one.acknowledged_at or at) if (one.round, one.partner_id) == seat else one
            for one in received
        ]

    after = checklist(**more)

    assert after.fraction >= before.fraction
    assert after.is_complete or not before.is_complete


@given(situation=situations())
@settings(max_examples=300, deadline=None)
def test_the_parts_of_a_checklist_agree_with_each_other(situation: dict[str, object]) -> None:
    progress = checklist(**situation)

    assert 0 <= progress.fraction <= 1
    assert progress.is_complete == (progress.fraction == 1)
    assert all(not item.counts for item in progress.items if item.state is State.EXCUSED)
    assert all((item.waits_for is not None) == (item.state is State.WAITING) for item in progress.items)
    if progress.is_complete:
        assert progress.next is None or not progress.next.counts


@pytest.mark.parametrize(
    ("points", "percent", "is_final", "worth"),
    [
        (None, 0, False, Fraction(1)),
        (Fraction(1, 2), 0, False, Fraction(1)),
        (None, 40, False, Fraction(6, 10)),
        (None, 40, True, Fraction(1)),
        (Fraction(1, 2), 40, False, Fraction(8, 10)),
        (Fraction(0), 40, True, Fraction(6, 10)),
        (Fraction(1, 2), 100, True, Fraction(1, 2)),
    ],
)
def test_points_count_only_as_far_as_a_designer_says(
    points: Fraction | None, percent: int, is_final: bool, worth: Fraction
) -> None:
    assert with_points(Fraction(1), points, percent, is_final=is_final) == worth
