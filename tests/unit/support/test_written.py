"""Dates as each language writes them."""

from datetime import datetime

import pytest

from lti_tool.support.languages import written

MOMENT = datetime(2026, 11, 5, 23, 59)  # noqa: DTZ001 - by the clock, wherever it hangs


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Thu 5 Nov 2026, 23:59"),
        ("sv", "tors 5 nov. 2026, 23:59"),
        ("da", "tors. 5. nov. 2026, 23.59"),
        ("nb", "tor. 5. nov. 2026, 23:59"),
        ("nl", "do 5 nov 2026, 23:59"),
    ],
)
def test_a_moment_is_written_as_the_language_does(language: str, said: str) -> None:
    assert written(MOMENT, language, "EEE d MMM y, HH:mm") == said
    assert written(MOMENT, language, "HH:mm") == said.rpartition(" ")[2]
