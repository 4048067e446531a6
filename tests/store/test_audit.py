"""The record of what happened: everything, except in a flood from one source."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from lti_tool.support.kit import Kit
from lti_tool.web import audit
from lti_tool.web.audit import SAMPLE_AFTER, SAMPLE_ONE_IN, AuditEntry
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


def record(kit: Kit, what: str = "error page", source: str | None = "source", **details: Any) -> str:
    with kit.open_session() as session:
        return audit.record(session, what, now=kit.clock.now(), source=source, **details)


def count(kit: Kit) -> int:
    with kit.open_session() as session:
        return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


@pytest.fixture
def last(kit: Kit) -> str:
    """The reference of the last entry before the flood."""
    return [record(kit, status=404) for _ in range(SAMPLE_AFTER)][-1]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers that chance draws next; each is from a range of SAMPLE_ONE_IN."""
    numbers: list[int] = []

    def draw(below: int) -> int:
        assert below == SAMPLE_ONE_IN
        return numbers.pop(0)

    monkeypatch.setattr("lti_tool.web.audit.secrets.randbelow", draw)
    return numbers


def test_in_a_flood_one_entry_in_twenty_is_written(kit: Kit, last: str, drawn: list[int]) -> None:
    assert count(kit) == SAMPLE_AFTER
    drawn += [1, SAMPLE_ONE_IN - 1, 0]
    assert record(kit, status=404) == last
    assert record(kit, status=404) == last
    assert count(kit) == SAMPLE_AFTER
    written = record(kit, status=404)
    assert written != last
    assert count(kit) == SAMPLE_AFTER + 1
    drawn.append(1)
    assert record(kit, status=404) == written


@pytest.mark.parametrize("said", [{"what": "another"}, {"status": 500}], ids=str)
def test_what_is_said_for_the_first_time_is_written_in_a_flood_too(
    kit: Kit, last: str, drawn: list[int], said: dict[str, Any]
) -> None:
    drawn.append(1)
    assert record(kit, **{"status": 404, **said}) != last
    assert count(kit) == SAMPLE_AFTER + 1


@pytest.mark.parametrize("source", ["another", None])
def test_a_flood_from_one_source_leaves_the_others_their_entries(kit: Kit, last: str, source: str | None) -> None:
    assert record(kit, source=source, status=404) != last
    assert count(kit) == SAMPLE_AFTER + 1


def test_a_flood_is_over_after_a_minute(kit: Kit, clock: FakeClock, last: str) -> None:
    clock.advance(timedelta(minutes=1))
    assert record(kit, status=404) != last
    assert count(kit) == SAMPLE_AFTER + 1
