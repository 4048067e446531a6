"""Somebody who was erased and opens the tool again."""

from sqlalchemy import select

from lti_tool.launch.models import Person
from lti_tool.support.db import OpenSession
from lti_tool.workspace import personal_data
from tests.contract.launch_stage import Stage


def test_an_erased_person_who_launches_begins_anew_and_gets_no_old_history(
    stage: Stage, open_session: OpenSession
) -> None:
    assert stage.launch().status_code == 303
    with open_session(1) as session:
        before = session.scalars(select(Person)).one()
        number, sub, name = before.id, before.sub, before.name
        personal_data.erase(session, number, now=stage.clock.now())
    for _ in range(2):
        assert stage.launch().status_code == 303
    with open_session(1) as session:
        old, new = session.scalars(select(Person).order_by(Person.id))
        assert (old.id, old.name, old.erased_at is not None) == (number, None, True)
        assert old.sub.startswith("erased ")
        assert (new.sub, new.name, new.erased_at) == (sub, name, None)
