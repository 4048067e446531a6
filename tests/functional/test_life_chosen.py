""" "Select content" used once more on an activity that is there."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from lti_tool.activities.models import Activity
from lti_tool.launch.models import Placement
from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.designing import fields_of
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life, opens_the_dialog, takes_its_answer

ONE, TWO = "learner01", "learner02"


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=2) as life:
        yield life


def chooses_again(life: Life, title: str) -> None:
    dialog = opens_the_dialog(life, title=life.link.title)
    begun = dialog.send("/setup/start", template="observation")
    path = begun.headers["Location"].removeprefix(f"/v/{dialog.key}")
    fields = {**fields_of(dialog.get(path).text), "title": title, "time_zone": "UTC"}
    fields.pop("form_token")
    takes_its_answer(dialog, dialog.send(path, **fields, do="place"))
    life.lms.save_selection(onto=life.link)


def standing(life: Life) -> str:
    return life.activity().title


def test_the_instructor_is_told_and_puts_the_new_one_in_its_place(life: Life) -> None:
    life.set_up(title="The old")
    chooses_again(life, "The new")
    assert "The old" in text_of(life.launch(ONE).landing)
    designer = life.launch("designer")
    assert "“The new” was chosen there with “Select content”. Learners still get “The old”" in text_of(designer.landing)

    page = designer.post("/setup/chosen", means="change")
    assert "<h1>The new</h1>" in page.text
    assert "The new" in text_of(life.launch(ONE).landing)
    life.publish(life.launch("designer"))
    assert life.groups() == [{ONE, TWO}]
    assert "The old" in text_of(opens_the_dialog(life).landing)


def test_the_old_one_is_kept_and_nobody_asks_again(life: Life) -> None:
    life.set_up(title="The old")
    chooses_again(life, "The new")
    page = life.launch("designer").post("/setup/chosen", means="keep")
    assert "<h1>The old</h1>" in page.text
    assert "was chosen there" not in text_of(life.launch("designer").landing)
    assert standing(life) == "The old"
    assert "The new" in text_of(opens_the_dialog(life).landing)


def test_an_activity_in_which_people_work_stays(life: Life) -> None:
    life.begin(title="The old")
    life.gives(ONE, TWO)
    chooses_again(life, "The new")
    designer = life.launch("designer")
    assert "so this one stays" in text_of(designer.landing)
    assert designer.send("/setup/chosen", means="change").status_code == 409
    assert standing(life) == "The old"
    assert life.feedback_id(ONE, TWO)


def test_only_instructors_are_asked(life: Life) -> None:
    life.set_up(title="The old")
    chooses_again(life, "The new")
    learner = life.launch(ONE)
    assert "The new" not in learner.landing.text
    assert learner.send("/setup/chosen", means="change").status_code == 403


def keeps_the_old(life: Life) -> None:
    life.set_up(title="The old")
    chooses_again(life, "The new")
    life.launch("designer").post("/setup/chosen", means="keep")


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=31)], ids=["at once", "after the draft was deleted"])
def test_a_copy_of_a_link_whose_activity_was_kept_is_a_copy_of_that_activity(life: Life, later: timedelta) -> None:
    keeps_the_old(life)
    life.clock.advance(later)
    life.periodically("activities.purge_drafts")
    copy = life.lms.copy_course(life.lms.course(), "again")
    [link] = [one for one in life.lms.links if one.course is copy]
    life.launch("designer", link)
    with life.look() as session:
        copied = select(Activity.title).join(Placement, Placement.id == Activity.placement_id)
        assert session.scalars(copied.where(Placement.resource_link_id == link.id)).all() == ["The old"]


def test_a_duplicate_of_a_link_whose_activity_was_kept_is_a_copy_of_that_activity(life: Life) -> None:
    keeps_the_old(life)
    second = life.lms.duplicate_link(life.link)
    life.launch("designer", second)
    copy = life.activity(second)
    assert (copy.title, copy.state, copy.copied_from_id) == ("The old", "unconfirmed", life.activity().id)
    assert "The new" in text_of(opens_the_dialog(life).landing)


def test_the_dialog_says_that_the_activity_is_there_already(life: Life) -> None:
    life.set_up(title="The old")
    assert "“The old” is already in this course" in text_of(opens_the_dialog(life, title=life.link.title).landing)
    assert "already in this course" not in text_of(opens_the_dialog(life, title="Tandem").landing)


def test_a_title_that_the_course_does_not_have_is_said_in_the_settings(life: Life) -> None:
    designer = life.set_up(title="The old")
    assert "Your course calls it “Observe a lesson”" in text_of(designer.get("/setup"))
    life.link.title = "The old"
    life.clock.advance(timedelta(minutes=2))
    assert "Your course calls it" not in text_of(life.launch("designer").get("/setup"))
