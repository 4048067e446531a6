"""Every row of the table of launches answers as it must, and leaves no trace that it must not."""

import pytest

from lti_tool.launch.errors import WORDS, LaunchError
from tests.contract.launch_cases import ACCEPTED, CASES, Case
from tests.contract.launch_stage import Stage
from tests.functional.launching import reference_on


def test_the_table_is_complete() -> None:
    assert [case.number for case in CASES] == list(range(1, 121))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_launch_of_the_table(case: Case, stage: Stage) -> None:
    answer = case.act(stage)

    assert stage.visits() == case.visits
    refusals = stage.refusals()
    if case.outcome is ACCEPTED:
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/v/")
        assert refusals == []
        return
    assert reference_on(answer.text)
    if issubclass(case.outcome, LaunchError):
        words = next(WORDS[kind] for kind in case.outcome.__mro__ if kind in WORDS)
        assert answer.status_code == words.status
        assert words.status == 200 or 400 <= words.status < 500
        assert [(entry.details["error"], entry.reference) for entry in refusals] == [
            (case.outcome.__name__, reference_on(answer.text))
        ]
    else:
        assert 400 <= answer.status_code < 500
