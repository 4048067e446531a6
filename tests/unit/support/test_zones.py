"""Time zones are understood as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.support.zones import is_zone, known_zones, read_zone, zone_label


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Europe/Stockholm", "Europe/Stockholm"),
        (" europe/stockholm ", "Europe/Stockholm"),
        ("Stockholm", "Europe/Stockholm"),
        ("\u200bStockholm\ufeff", "Europe/Stockholm"),
        ("Stockholm, Sweden", "Europe/Stockholm"),
        ("New York", "America/New_York"),
        ("New_York", "America/New_York"),
        ("Köpenhamn", "Europe/Copenhagen"),
        ("KØBENHAVN", "Europe/Copenhagen"),
        ("Kopenhagen", "Europe/Copenhagen"),
        ("Sverige", "Europe/Stockholm"),
        ("Nederland", "Europe/Amsterdam"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Romance Standard Time", "Europe/Paris"),
        ("centraleuropeisk normaltid", "Europe/Berlin"),
        ("CEST", "Europe/Berlin"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Central Time", "America/Chicago"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(GMT+01:00) Centraleuropeisk tid - Stockholm", "Europe/Stockholm"),
        ("(UTC+02:00) Somewhere", "Etc/GMT-2"),
        ("GMT+1", "Etc/GMT-1"),
        ("utc+01:00", "Etc/GMT-1"),
        ("UTC −3", "Etc/GMT+3"),
        ("+0200", "Etc/GMT-2"),
        ("Etc/GMT+1", "Etc/GMT+1"),
        ("+5:45", "Asia/Katmandu"),
        ("UTC+0", "UTC"),
        ("z", "UTC"),
    ],
)
def test_a_zone_is_understood_however_it_is_written(written: str, name: str) -> None:
    zone = read_zone(written)
    assert zone is not None
    assert _alike(zone, ZoneInfo(name))


@pytest.mark.parametrize("written", ["PST", "Pacific Time"])
def test_a_zone_that_several_countries_share_is_that_of_the_larger(written: str) -> None:
    zone = read_zone(written)
    assert zone is not None
    assert zone.key == "America/Los_Angeles"


@pytest.mark.parametrize(
    "written",
    ["", "99", "1", "Mars/Base", "USA", "Paris, Texas", "UTC+25", "+03:99", "UTC-3:30", "Factory", "()", "x" * 9],
)
def test_what_is_no_zone_or_may_be_several_is_left_to_a_person(written: str) -> None:
    assert read_zone(written) is None


@given(st.text(max_size=300))
def test_nothing_that_is_typed_breaks_the_reading(text: str) -> None:
    zone = read_zone(text)
    assert zone is None or zone.key


def test_every_zone_to_choose_from_is_one() -> None:
    zones = known_zones()
    assert "Europe/Amsterdam" in zones
    assert "UTC" in zones
    assert not [name for name in zones if name.startswith(("posix", "Etc/", "SystemV"))]
    assert all(is_zone(name) and read_zone(name) == ZoneInfo(name) for name in zones)


def test_a_zone_of_an_offset_is_shown_as_people_write_it_and_read_again() -> None:
    for ahead in range(-14, 13):
        zone = read_zone(f"UTC{-ahead:+d}")
        assert zone is not None
        assert is_zone(zone.key)
        assert read_zone(zone_label(zone.key)) == zone
    assert zone_label("Etc/GMT-1") == "UTC+01:00"
    assert zone_label("Europe/Oslo") == "Europe/Oslo"


def test_the_exact_name_of_a_zone_is_what_is_kept() -> None:
    assert not is_zone("Stockholm")
    assert not is_zone("Etc/Nowhere")


def _alike(one: ZoneInfo, other: ZoneInfo) -> bool:
    """Whether clocks of both show the same; which of two names for one zone is chosen depends on the tables."""
    moments = [datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 13)]
    return all(moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset() for moment in moments)
