"""Times as typed, and the moments they mean."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.meetings import forms
from lti_tool.meetings.forms import Reading

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def read(chosen: tuple[str, ...] = (), **fields: str) -> Reading:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return forms.read(forms.typed(named, list(chosen)), zone=STOCKHOLM, now=NOW)


def test_offers_and_typed_times_are_proposed_together() -> None:
    reading = read(
        ("2026-11-04T12:00:00+00:00", "nonsense", "2026-11-04T12:00:00+00:00"),
        day_2="2026-11-05",
        clock_2="9.30",
        minutes="60",
        place="  Room\x00 4 ",
        rhythm="weekly",
    )
    assert reading.problems == {}
    assert [one.starts_at for one in reading.wanted] == [
        datetime(2026, 11, 4, 12, 0, tzinfo=UTC),
        datetime(2026, 11, 5, 8, 30, tzinfo=UTC),
    ]
    assert {(one.minutes, one.place, one.rhythm, one.time_zone) for one in reading.wanted} == {
        (60, "Room 4", Rhythm.WEEKLY, "Europe/Stockholm")
    }


def test_three_typed_and_one_ticked_are_one_too_many() -> None:
    typed = {f"day_{number}": "2026-11-05" for number in (1, 2, 3)}
    clocks = {f"clock_{number}": f"1{number}:00" for number in (1, 2, 3)}
    assert list(read(("2026-11-04T12:00:00+00:00",), **typed, **clocks).problems) == ["day-1"]


def test_an_hour_that_comes_twice_needs_a_choice() -> None:
    asked = read(day_1="2027-10-31", clock_1="02:30")
    first, second = asked.twice[1]
    assert (second - first).total_seconds() == 3600
    assert asked.problems == {"turn-1": forms.COMES_TWICE}
    for turn, moment in (("first", first), ("second", second)):
        assert [one.starts_at for one in read(day_1="2027-10-31", clock_1="02:30", turn_1=turn).wanted] == [moment]


@given(st.dictionaries(st.sampled_from(["day_1", "clock_1", "turn_1", "minutes", "place", "rhythm"]), st.text()))
def test_any_text_is_a_time_or_a_problem(fields: dict[str, str]) -> None:
    reading = read(**fields)
    assert bool(reading.wanted) or bool(reading.problems)
