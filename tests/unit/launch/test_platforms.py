"""The table of differences between platforms."""

from datetime import timedelta

import pytest

from lti_tool.launch.rules.platforms import ORDINARY, PLATFORMS, platform_of


@pytest.mark.parametrize("family", ["moodle", "canvas", "BlackboardLearn", "desire2learn", "sakai", "schoology"])
def test_a_known_family_has_its_row(family: str) -> None:
    assert platform_of(family).family == family


@pytest.mark.parametrize("family", [None, "", "somebody-elses-lms", "MOODLE"])
def test_an_unknown_family_is_ordinary(family: str | None) -> None:
    assert platform_of(family) is ORDINARY


def test_moodle_counts_whole_seconds() -> None:
    assert platform_of("moodle").timestamp_step == timedelta(seconds=1)


def test_platforms_that_share_client_ids_are_marked() -> None:
    assert {name for name, row in PLATFORMS.items() if row.shares_client_ids} == {"canvas", "BlackboardLearn"}
