"""Who facilitates: the schedule, the prompts that become fewer, and when staff may have a seat."""

from typing import Any

import pytest

from lti_tool.activities.kinds.circle import METHOD
from lti_tool.activities.rules import SeatRefusal, guided_usually, is_guided, prompts_shown, why_no_seat


def test_a_third_of_the_rounds_is_guided_and_at_least_the_first() -> None:
    assert [guided_usually(rounds) for rounds in range(1, 13)] == [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]
    assert [is_guided(number, 2) for number in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(("guided", "shown"), [(0, [3, 2, 1, 1]), (1, [3, 2, 1, 1]), (2, [3, 3, 2, 1]), (9, [3] * 4)])
def test_prompts_become_fewer_once_the_group_runs_itself_and_the_first_stays(guided: int, shown: list[int]) -> None:
    prompts = METHOD[0].prompts
    found = [prompts_shown(prompts, number, guided) for number in (1, 2, 3, 4)]

    assert [len(some) for some in found] == shown
    assert all(some[0] == prompts[0] for some in found)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"is_staff": False}, SeatRefusal.NOT_STAFF),
        ({"is_guided": False}, SeatRefusal.SELF_RUN),
        ({"is_open": False}, SeatRefusal.CLOSED),
        ({"is_taken": True}, SeatRefusal.TAKEN),
        ({"has_unannounced_words": True}, SeatRefusal.NOT_AGREED),
    ],
)
def test_a_seat_is_for_staff_in_guided_rounds_where_nobody_wrote_unannounced(
    change: dict[str, bool], refusal: SeatRefusal | None
) -> None:
    case: dict[str, Any] = {"is_staff": True, "is_guided": True, "is_open": True}
    case |= {"is_taken": False, "has_unannounced_words": False, **change}

    assert why_no_seat(**case) is refusal
