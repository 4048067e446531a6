"""What a saved template keeps of an activity, and what becomes of it on another day."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from lti_tool.activities.rules import CertificateTerms, ReflectionDays, RoundDates, check
from lti_tool.activities.rules.saved import content_of, may_change, rubric_from, settings_from, taken_over
from lti_tool.activities.rules.settings import ActivitySettings
from lti_tool.activities.rules.templates import TEMPLATES
from tests.factories.activities import as_written, observation_rubric, observation_settings

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NEXT_SPRING = datetime(2027, 4, 1, 9, 0, tzinfo=UTC)


def again(settings: ActivitySettings, now: datetime, zone: str = "Europe/Stockholm") -> ActivitySettings:
    """The settings of an activity that begins with what was kept, by way of the database's JSON."""
    kept = json.loads(json.dumps(content_of(settings, observation_rubric(), {}).settings))
    return settings_from(kept, now=now, time_zone=zone)


@pytest.mark.parametrize("key", TEMPLATES)
def test_what_is_used_on_the_same_day_is_the_same(key: str) -> None:
    settings = TEMPLATES[key].settings(as_written, now=NOW, time_zone="Europe/Stockholm")
    if len(set(TEMPLATES[key].days_to_due)) > 1:
        assert again(settings, NOW) == settings


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_rubric_is_kept_with_every_level(key: str) -> None:
    rubric = TEMPLATES[key].rubric(as_written)
    kept = content_of(observation_settings(NOW), rubric, {}).rubric
    assert rubric_from(json.loads(json.dumps(kept))) == rubric


def test_dates_are_counted_from_the_day_of_use_and_keep_their_times() -> None:
    rounds = (
        RoundDates(datetime(2026, 11, 2, 7, 30, tzinfo=UTC), datetime(2026, 11, 9, 22, 59, tzinfo=UTC)),
        RoundDates(None, datetime(2026, 11, 16, 15, 0, tzinfo=UTC)),
        RoundDates(),
    )
    used = again(observation_settings(NOW, rounds=rounds), NEXT_SPRING)
    assert used.rounds == (
        # Stockholm is two hours ahead in April, one in November: clocks there show the same times.
        RoundDates(datetime(2027, 4, 1, 6, 30, tzinfo=UTC), datetime(2027, 4, 8, 21, 59, tzinfo=UTC)),
        RoundDates(None, datetime(2027, 4, 15, 14, 0, tzinfo=UTC)),
        RoundDates(),
    )
    assert check(used, now=NEXT_SPRING) == []


def test_rounds_without_dates_stay_so_and_the_time_zone_is_that_of_the_user() -> None:
    used = again(observation_settings(NOW, rounds=(RoundDates(), RoundDates())), NEXT_SPRING, "Asia/Tokyo")
    assert used.rounds == (RoundDates(), RoundDates())
    assert used.time_zone == "Asia/Tokyo"


def test_a_single_due_date_lies_two_weeks_ahead() -> None:
    used = again(observation_settings(NOW, rounds=(RoundDates(due_at=NOW),)), NEXT_SPRING)
    assert used.rounds[0].due_at == NEXT_SPRING + timedelta(days=14) - timedelta(hours=1)


def test_a_step_that_a_newer_version_of_the_kind_has_counts_as_usual() -> None:
    kept = dict(content_of(observation_settings(NOW), observation_rubric(), {}).settings)
    kept["completion"] = {"asked": {"give_feedback": 0}}
    asked = settings_from(kept, now=NOW, time_zone="UTC").completion.asked
    assert (asked["give_feedback"], asked["acknowledge"]) == (0, 1)


def test_taking_over_leaves_rounds_dates_and_time_zone() -> None:
    current = observation_settings(NOW, title="Mine", reflection_days=ReflectionDays(NOW.date()))
    taken = {"title": "Theirs", "score_maximum": 5, "certificate": CertificateTerms("Peer", "", {"x": Decimal("0.25")})}
    other = replace(current, **taken, rounds=(RoundDates(),), time_zone="UTC", reflection_days=None)
    kept = json.loads(json.dumps(content_of(other, observation_rubric(), {}).settings))
    assert taken_over(current, kept, now=NOW) == replace(current, **taken)


@pytest.mark.parametrize(
    ("saved_by", "course_id", "is_administrator", "may"),
    [
        (1, None, False, True),
        (2, None, False, False),
        (2, None, True, True),
        (2, 7, False, True),
        (None, None, False, False),
    ],
)
def test_who_may_change_a_template(
    saved_by: int | None, course_id: int | None, is_administrator: bool, may: bool
) -> None:
    assert may_change(saved_by, course_id, person_id=1, is_administrator=is_administrator) is may
