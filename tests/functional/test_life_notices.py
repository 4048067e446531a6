"""Canvas tells by itself that a course was copied, and the copied activity finds its settings."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lti_tool.registration.models import Deployment
from lti_tool.wiring import Services
from sandbox_lms import ResourceLink
from sandbox_lms import vocabulary as words
from tests.fakes.clock import FakeClock
from tests.functional.launching import BASE_URL
from tests.functional.living import Life, a_life

HANDLER = f"{BASE_URL}/lti/notices"


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, "canvas", learners=2) as life:

        def deliver(handler: str, message: dict[str, Any]) -> None:
            assert handler == HANDLER
            answer = life.app.test_client().post("/lti/notices", json=message, base_url=BASE_URL)
            assert answer.status_code == 200, answer.text

        life.lms.deliver = deliver
        yield life


def copied(life: Life, origin: str, key: str) -> ResourceLink:
    life.lms.copy_course(life.lms.course(origin), key)
    [link] = [link for link in life.lms.links if link.course.key == key]
    return link


def deployment(life: Life) -> Deployment:
    with life.look() as session:
        return session.scalars(select(Deployment)).one()


def test_a_copy_of_a_copy_has_the_settings_of_the_course_it_was_made_from(life: Life) -> None:
    life.set_up(title="First term")
    # Canvas keeps a link's custom parameters in a copy, and tells nothing of histories.
    life.link.custom = {"activity": life.activity().key}
    life.run()
    assert life.tool.notice_handlers == {life.tool.deployment_id: {words.COPY_NOTICE: HANDLER}}
    second = copied(life, "course-1", "second-term")
    life.set_up(second, title="Second term")
    third = copied(life, "second-term", "third-term")
    life.launch("designer", third)
    # By its key alone it would be a copy of the very first activity.
    assert life.activity(third).title == "Second term"
    assert life.activity(third).copied_from_id == life.activity(second).id
    fourth = copied(life, "third-term", "fourth-term")
    life.launch("designer", fourth)
    assert life.activity(fourth).copied_from_id == life.activity(third).id


def test_without_the_notice_the_first_course_would_count(life: Life) -> None:
    life.set_up(title="First term")
    life.link.custom = {"activity": life.activity().key}
    second = copied(life, "course-1", "second-term")
    life.set_up(second, title="Second term")
    third = copied(life, "second-term", "third-term")
    life.launch("designer", third)
    assert life.activity(third).copied_from_id == life.activity().id


def test_a_course_between_that_nobody_opened_is_followed_to_its_origin(life: Life) -> None:
    life.set_up(title="First term")
    life.link.custom = {"activity": life.activity().key}
    life.run()
    life.set_up(copied(life, "course-1", "second-term"), title="Second term")
    copied(life, "second-term", "never-opened")
    fourth = copied(life, "never-opened", "fourth-term")
    life.launch("designer", fourth)
    assert life.activity(fourth).title == "Second term"


def test_a_platform_that_refuses_is_asked_again_a_day_later_and_launches_go_on(life: Life) -> None:
    life.lms.faults.answer("notices", 403, times=None)
    life.launch("designer")
    life.run()
    assert deployment(life).notices_url is None
    life.launch("designer")
    life.run()
    assert life.seen(life.tool.deployment_id) == 1
    life.lms.faults.clear()
    life.clock.advance(timedelta(days=1))
    life.launch("designer")
    life.run()
    assert str(deployment(life).notices_url).startswith(life.lms.url)
    life.clock.advance(timedelta(days=7))
    life.launch("designer")
    life.run()
    assert life.seen(life.tool.deployment_id) == 2


def test_a_platform_that_gives_no_right_or_hangs_up_changes_nothing(life: Life) -> None:
    life.lms.faults.close_connection("notices", times=None)
    life.launch("designer")
    life.run()
    assert deployment(life).notices_url is None
    life.tool.scopes = words.ALL_SCOPES
    life.clock.advance(timedelta(days=1))
    life.launch("designer")
    assert life.run() >= 0
    assert life.seen(life.tool.deployment_id) == 1
