"""Grade columns that teachers touch, delete, lock or never had."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lti_tool.wiring import Services
from sandbox_lms.vocabulary import LINE_ITEM_READONLY, ROSTER, SCORE
from tests.fakes.clock import FakeClock
from tests.functional.designing import fields_of
from tests.functional.guests import Guest, text_of
from tests.functional.living import Life, a_life

ONE, TWO = "learner01", "learner02"


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=2) as life:
        yield life


def test_a_teacher_s_own_grade_stays(life: Life) -> None:
    life.begin()
    [item] = life.lms.line_items_of(life.link)
    life.lms.override_grade(item, life.person(ONE), 72, "Mine")
    life.clock.advance(timedelta(minutes=1))
    life.completes(ONE, TWO)
    life.run_for(timedelta(minutes=5))
    grade = life.lms.grade_of(life.link, life.person(ONE))
    assert grade is not None
    assert (grade.shown, grade.comment) == (72, "Mine")
    assert life.shown(TWO) == 100


def test_a_deleted_column_is_made_again_by_a_click_and_filled(life: Life) -> None:
    life.begin()
    life.completes(ONE, TWO)
    with life.lms.lock:
        life.lms.line_items.clear()
    assert (life.shown(ONE), life.column().state) == (None, "linked")

    designer = life.launch("designer")
    designer.post(f"/grades/{life.score(ONE).id}/send")
    life.run_for(timedelta(minutes=2))
    assert (life.column().state, life.lms.line_items) == ("deleted", [])
    page = designer.get("/grades")
    assert "was deleted from the gradebook" in text_of(page)
    assert life.launch(ONE).landing.status_code == 200

    designer.post("/grades/column")
    life.run_for(timedelta(minutes=2))
    assert (life.shown(ONE), life.shown(TWO)) == (100, 100)
    assert len(life.lms.line_items) == 1
    assert "was deleted" not in text_of(designer.get("/grades"))


def test_a_course_whose_grades_we_may_not_write_works_and_says_so(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2) as life:
        life.tool.scopes = (ROSTER, LINE_ITEM_READONLY)
        life.begin()
        designer = life.launch("designer")
        life.completes(ONE, TWO)
        assert (life.shown(ONE), life.column().state, life.score(ONE).reason) == (None, "readonly", "not allowed")
        assert "does not let Tandem write grades" in text_of(designer.get("/grades"))
        learner = text_of(life.launch(ONE).landing)
        assert "You have done everything here" in learner
        assert "could not reach the gradebook" in learner

        # The administrator allows it, somebody launches, and staff look again by a click.
        life.tool.scopes = (ROSTER, LINE_ITEM_READONLY, SCORE)
        life.clock.advance(timedelta(minutes=1))
        life.launch("designer").post("/grades/send")
        life.run_for(timedelta(minutes=2))
        assert (life.shown(ONE), life.shown(TWO)) == (100, 100)


def test_a_link_without_a_column_works_and_gets_one_where_that_is_granted(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, "canvas", learners=2, line_item=None) as life:
        life.begin()
        assert life.lms.line_items == []
        life.completes(ONE, TWO)
        assert (life.shown(ONE), life.shown(TWO), len(life.lms.line_items)) == (100, 100, 1)


def test_a_gradebook_that_was_never_offered_is_no_obstacle(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2, line_item=None) as life:
        life.tool.scopes = (ROSTER,)
        life.begin()
        designer = life.launch("designer")
        life.completes(ONE, TWO)
        assert life.score(ONE).state == "waiting"
        assert "still works" in text_of(designer.get("/grades"))
        assert life.launch(ONE).landing.status_code == 200


def test_an_ungraded_activity_tells_the_gradebook_nothing(life: Life) -> None:
    life.begin(score_mode="none")
    designer = life.launch("designer")
    life.completes(ONE, TWO)
    designer.post("/setup/close")
    life.run_for(timedelta(days=20))
    assert life.sent() == 0
    assert "This activity has no grade" in text_of(life.launch(ONE).landing)
    assert life.launch("designer").get("/grades").status_code == 200


def test_grades_that_were_declined_in_the_lms_get_no_column_unless_an_instructor_asks(
    services: Services, clock: FakeClock
) -> None:
    """Moodle asks whoever adds an activity whether it is graded; a column made by us would overrule the answer."""
    with a_life(services, clock, learners=2, line_item=None) as life:
        life.begin()
        designer = life.launch("designer")
        life.completes(ONE, TWO)
        designer.post("/grades/send")
        life.run_for(timedelta(days=3))
        life.periodically("grades.wake")
        assert (life.lms.line_items, life.column().state) == ([], "declined")
        designer = life.launch("designer")
        assert "Grades were switched off for this activity" in text_of(designer.get("/grades"))
        assert "This activity has no grade" in text_of(life.launch(ONE).landing)

        designer.post("/grades/column")
        life.run_for(timedelta(minutes=2))
        assert (life.shown(ONE), life.shown(TWO), len(life.lms.line_items)) == (100, 100, 1)


def test_grades_that_are_accepted_later_arrive_after_the_next_launch(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2, line_item=None) as life:
        life.begin()
        life.completes(ONE, TWO)
        course, tool = life.lms.course(), life.tool
        life.lms.add_line_item(course, tool, "Observe", 100.0, resource_link=life.link, is_coupled=True)
        life.clock.advance(timedelta(hours=2))
        life.launch(ONE)
        life.periodically("grades.wake")
        life.run_for(timedelta(minutes=2))
        assert (life.shown(ONE), life.shown(TWO), len(life.lms.line_items)) == (100, 100, 1)


@pytest.mark.parametrize("profile", ["moodle", "canvas"])
def test_other_maximum_points_reach_the_gradebook_with_every_score(
    services: Services, clock: FakeClock, profile: str
) -> None:
    with a_life(services, clock, profile, learners=2, line_item={"resourceId": "theirs", "tag": "kept"}) as life:
        life.begin()
        designer = life.launch("designer")
        life.completes(ONE, TWO)
        assert life.shown(ONE) == 100
        clock.advance(timedelta(minutes=1))
        designer = life.launch("designer")
        designer.post("/setup", **saved(designer, score_maximum="20"), do="save")
        life.run_for(timedelta(minutes=2))

        [item] = life.lms.line_items
        assert (item.score_maximum, item.resource_link, item.resource_id, item.tag) == (20, life.link, "theirs", "kept")
        assert (life.shown(ONE), life.shown(TWO)) == (20, 20)


def test_points_that_the_lms_does_not_let_us_change_are_said(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2) as life:
        life.tool.scopes = (ROSTER, LINE_ITEM_READONLY, SCORE)
        life.begin()
        designer = life.launch("designer")
        life.completes(ONE, TWO)
        designer.post("/setup", **saved(designer, score_maximum="20"), do="save")
        life.run_for(timedelta(minutes=2))

        assert life.shown(ONE) == 100
        assert "The maximum is 100 points in the LMS and 20 points here" in text_of(designer.get("/grades"))


def saved(designer: Guest, **changes: str) -> dict[str, str]:
    """The settings as they are, with these changes."""
    fields = fields_of(designer.get("/setup").text)
    fields.pop("form_token", None)
    return {**fields, **changes}
