"""A copied programme arrives in a course of the sandbox LMS by "Select content", all its links at once."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from lti_tool.activities.rules import RoundDates
from lti_tool.programmes import service
from lti_tool.programmes.rules import Step
from lti_tool.registration.models import Registration
from lti_tool.wiring import Services
from tests.factories.activities import an_activity
from tests.factories.people import a_course, a_deployment, a_placement
from tests.fakes.clock import FakeClock
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life, opens_the_dialog, takes_its_answer


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=2) as life:
        yield life


def test_every_link_finds_its_own_copy_and_all_are_opened_at_once(life: Life) -> None:
    now = life.clock.now()
    with life.open() as session:
        registration = session.get_one(Registration, life.registration_id)
        elsewhere = a_course(session, a_deployment(session, registration))
        made = [
            an_activity(
                session,
                elsewhere,
                a_placement(session, elsewhere),
                now=now,
                title=title,
                rounds=(RoundDates(due_at=now + timedelta(weeks=number)),),
            )
            for number, title in enumerate(("Look closely", "Say it kindly"), start=1)
        ]
        source = service.make(session, elsewhere.id, "Feedback", [Step(one.id) for one in made], by=1, now=now)
        source.is_offered = True

    dialog = opens_the_dialog(life)
    address = f"/programmes/{source.id}/copy"
    asked = {"how": "start", "start": f"{now + timedelta(weeks=4):%Y-%m-%d}", "free": ""}
    page = dialog.get(f"{address}?how=start&start={asked['start']}")
    seen = re.search(r'name="seen" value="([^"]+)"', page.text)
    assert seen is not None
    chooser = dialog.post(address, seen=seen[1], **asked)
    place = re.search(r'action="/v/[\w-]+(/programmes/\d+/place)"', chooser.text)
    assert place is not None
    takes_its_answer(dialog, dialog.send(place[1]))
    links = life.lms.save_selection()

    assert [link.title for link in links] == ["Look closely", "Say it kindly"]
    assert "not ready yet" in text_of(life.launch("learner01", links[1]).landing)
    designer = life.launch("designer", links[0])
    assert [life.activity(link).title for link in links] == ["Look closely", "Say it kindly"]
    with life.open() as session:
        course_id = life.activity(links[0]).course_id
        copy = service.programmes_of(session, course_id)[0]
        assert [stage.activity.id for stage in service.stages_of(session, copy.id)] == [
            life.activity(link).id for link in links
        ]
        assert course_id != elsewhere.id
    page = designer.post(f"/programmes/{copy.id}", do="open", version=str(copy.version))
    assert "Open for learners." in page.text
    assert [life.activity(link).state for link in links] == ["ready", "ready"]
    assert "This is step 2 of 2." in text_of(life.launch("learner01", links[1]).landing)
