"""How long a job waits between attempts."""

from datetime import timedelta

import pytest

from lti_tool.jobs.queue import LONGEST_PAUSE, MAX_ATTEMPTS, GiveUp, JobContext, backoff


def test_the_first_pause_is_about_ten_seconds() -> None:
    assert backoff(1, chance=0.5) == timedelta(seconds=10)


def test_pauses_grow_and_never_beyond_the_longest() -> None:
    pauses = [backoff(attempt, chance=0.5) for attempt in range(1, 1000)]
    assert pauses == sorted(pauses)
    assert max(pauses) == LONGEST_PAUSE


def test_chance_spreads_jobs_that_failed_together() -> None:
    assert backoff(3, chance=0.0) < backoff(3, chance=0.5) < backoff(3, chance=1.0)


def test_all_attempts_together_outlast_a_day_and_a_half() -> None:
    total = sum((backoff(attempt, chance=0.0) for attempt in range(1, MAX_ATTEMPTS)), timedelta(0))
    assert timedelta(hours=24) < total < timedelta(days=4)


@pytest.mark.parametrize("value", [None, "7", True, 7.0])
def test_a_payload_without_its_number_gives_the_job_up(value: object) -> None:
    with pytest.raises(GiveUp):
        JobContext(1, "a", {"n": value}, None, 1).number("n")


def test_a_job_of_no_institution_cannot_be_served_for_one() -> None:
    with pytest.raises(GiveUp):
        _ = JobContext(1, "a", {}, None, 1).institution
