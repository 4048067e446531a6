"""In the demo most learners do their part by themselves, whatever the kind, and one group is left to a person."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lti_tool.activities.kinds import KINDS
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import RoundDates
from lti_tool.activities.rules.templates import TEMPLATES
from lti_tool.demo_learners import do_their_part
from lti_tool.evidence import service
from lti_tool.feedback.models import Entry
from lti_tool.support.kit import Kit
from tests.factories.activities import as_written
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock

NAMES = ("Mette", "Jonas", "Sara", "Omar", "Lena", "Tom", "Ida", "Per")


@pytest.mark.parametrize("kind", KINDS)
def test_learners_do_their_part_once(kit: Kit, clock: FakeClock, kind: str) -> None:
    template = next(each for each in TEMPLATES.values() if each.kind == kind)
    usual = template.settings(as_written, now=clock.now(), time_zone="UTC")
    groups = tuple(NAMES[place : place + 2] for place in range(0, len(NAMES), 2))
    with kit.open_session() as session:
        rounds = (RoundDates(due_at=clock.now() + timedelta(days=7)),)
        settings = {"kind": kind, "completion": usual.completion, "scenario": usual.scenario, "rounds": rounds}
        room = a_classroom(session, *NAMES, now=clock.now(), groups=groups, **settings)

    assert do_their_part(kit) > 2
    assert do_their_part(kit) == 0

    with kit.open_session(room.institution.id) as session:
        activity = session.get_one(Activity, room.activity.id)
        part = service.part_of(session, activity, now=clock.now())
        given = session.scalar(select(func.count()).where(Entry.submitted_at.is_not(None)).select_from(Entry))
        played = {room.members[name].id for name in groups[0]}
        writers = set(session.scalars(select(Entry.author_id)))
    assert given
    assert not played & writers
    shown = {table.figure.key for table in part.tables if table.rows}
    assert {"places", "steps", "goals", "actions"} <= shown
