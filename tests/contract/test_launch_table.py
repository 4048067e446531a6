"""Every row of the table of launches answers as it must, and leaves no trace that it must not."""

import pytest

from tests.contract.launch_cases import ACCEPTED, ANSWERED, CASES, LOGIN_REFUSED, REFUSED, Case
from tests.contract.launch_stage import Stage
from tests.functional.launching import reference_on


def test_the_table_is_complete() -> None:
    assert [case.number for case in CASES] == list(range(1, 121))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_launch_of_the_table(case: Case, stage: Stage) -> None:
    answer = case.act(stage)

    assert stage.visits() == case.visits
    refusals = stage.refusals()
    if case.outcome == ACCEPTED:
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/v/")
        assert refusals == []
    elif case.outcome == ANSWERED:
        assert answer.status_code == 200
        assert [entry.reference for entry in refusals] == [reference_on(answer.text)]
    elif case.outcome in {REFUSED, LOGIN_REFUSED}:
        assert 400 <= answer.status_code < 500
        assert [entry.reference for entry in refusals] == [reference_on(answer.text)]
        assert refusals[0].what == ("login refused" if case.outcome == LOGIN_REFUSED else "launch refused")
    else:
        assert 400 <= answer.status_code < 500
        assert reference_on(answer.text)
