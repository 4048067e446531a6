"""People who come, go, come back, and are not what the roster says they are."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from lti_tool.wiring import Services
from tests.factories.feedback import TEXTS
from tests.fakes.clock import FakeClock
from tests.functional.guests import Guest, text_of
from tests.functional.living import Life, a_life

LEARNERS = {"learner01", "learner02", "learner03", "learner04"}
LATER = timedelta(hours=13)


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=4) as life:
        yield life


def reads_the_roster(life: Life) -> None:
    """The roster is old, and somebody launches."""
    life.clock.advance(LATER)
    life.launch("designer")
    life.run()


def answers_doubt(guest: Guest, means: str) -> None:
    """Say what a roster that lacks many means."""
    found = re.search(r'name="reading" value="([0-9]+)"', guest.get("/plan").text)
    assert found is not None
    guest.post("/plan/doubted-roster", reading=found[1], means=means)


def paired(life: Life) -> set[str]:
    return {one for group in life.groups() for one in group}


def test_learners_only_are_paired(life: Life) -> None:
    life.enrol("test-student", "test")
    life.enrol("observer", "observer")
    life.begin()
    assert paired(life) == LEARNERS
    assert sorted(len(group) for group in life.groups()) == [2, 2]


def test_the_plan_says_why_a_roster_is_not_there_and_when_it_is_read_again(life: Life) -> None:
    life.set_up()
    life.lms.faults.roster(403, times=None)
    reads_the_roster(life)
    shown = text_of(life.launch("designer").get("/plan"))
    assert "The LMS does not let Tandem read it now." in shown
    assert "Tandem tries again" in shown
    assert "(in 5 minutes)" in shown
    life.lms.faults.clear()
    life.run_for(timedelta(minutes=5))
    assert "The roster was read" in text_of(life.launch("designer").get("/plan"))


def test_the_plan_says_until_when_the_lms_asked_to_wait(life: Life) -> None:
    life.set_up()
    life.lms.faults.roster(429, retry_after=3600)
    reads_the_roster(life)
    shown = text_of(life.launch("designer").get("/plan"))
    assert "The LMS asked Tandem to wait until" in shown
    assert "(in 1 hour)" in shown


def test_a_roster_that_breaks_off_takes_nobody_out(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, "canvas", learners=4) as life:
        life.begin()
        before = life.groups()
        life.lms.faults.roster(break_after_page=0, times=None)
        reads_the_roster(life)
        life.run_for(timedelta(hours=2))
        life.lms.faults.clear()
        assert life.groups() == before
        assert {life.member(one).status for one in LEARNERS} == {"active"}


def test_who_is_suspended_leaves_and_finds_everything_on_returning(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, "canvas", learners=4) as life:
        life.begin()
        [partner] = life.partners_of("learner01")
        life.gives("learner01", partner)
        life.gives(partner, "learner01")
        life.lms.suspend(life.lms.course(), life.person("learner01"))
        reads_the_roster(life)
        assert life.member("learner01").status == "inactive"
        assert "is not in the course any more" in text_of(life.launch(partner).landing) or life.groups()

        life.lms.resume(life.lms.course(), life.person("learner01"))
        reads_the_roster(life)
        assert life.member("learner01").status == "active"
        back = life.launch("learner01")
        assert "given you feedback" in text_of(back.landing)
        assert life.feedback_id("learner01", partner)


def test_who_unenrolled_before_anything_began_gets_a_place_again_by_coming_back(life: Life) -> None:
    """The launch comes first and the roster later: neither may think that the other has told the plan."""
    life.begin()
    life.lms.unenrol(life.lms.course(), life.person("learner01"))
    reads_the_roster(life)
    assert paired(life) == LEARNERS - {"learner01"}
    life.enrol("learner01")
    life.launch("learner01")
    life.run()
    assert paired(life) == LEARNERS


def test_a_late_joiner_who_launches_before_the_roster_is_read_is_placed(life: Life) -> None:
    life.begin()
    life.enrol("learner07")
    life.clock.advance(LATER)
    assert "not paired yet" in text_of(life.launch("learner07").landing)
    life.run()
    assert paired(life) == LEARNERS | {"learner07"}
    page = text_of(life.launch("learner07").landing)
    assert "Observe" in page
    assert "Welcome. The groups were made before you came, and now you are in one. You are not behind." in page
    assert "Welcome." not in text_of(life.launch("learner01").landing)


def test_a_late_joiner_is_placed_also_where_no_roster_is_offered(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=4) as life:
        life.tool.scopes = tuple(scope for scope in life.tool.scopes if "membership" not in scope)
        designer = life.set_up()
        for one in sorted(LEARNERS):
            life.launch(one)
        life.publish(designer)
        assert paired(life) == LEARNERS
        life.enrol("learner07")
        life.launch("learner07")
        life.run()
        assert paired(life) == LEARNERS | {"learner07"}


def test_an_assistant_whom_the_roster_calls_a_learner_leaves_the_pairs_at_the_first_launch(life: Life) -> None:
    life.enrol("assistant", "assistant")
    life.begin()
    assert paired(life) == LEARNERS | {"assistant"}
    life.launch("assistant")
    life.run()
    assert paired(life) == LEARNERS
    reads_the_roster(life)
    assert paired(life) == LEARNERS
    # Also under a switched role.
    life.launch("assistant", as_learner=True)
    reads_the_roster(life)
    assert paired(life) == LEARNERS


def test_staff_who_switch_roles_look_and_leave_nothing_behind(life: Life) -> None:
    life.begin()
    looking = life.launch("designer", as_learner=True)
    assert "Nothing is kept" in looking.landing.text or "preview" in looking.landing.text.lower()
    answer = looking.send(life.writing("learner01", "learner02"), strengths="S", do="save")
    assert answer.status_code == 403
    assert looking.send("/plan/propose").status_code == 403
    reads_the_roster(life)
    assert paired(life) == LEARNERS


def test_a_reset_course_asks_before_it_ends_groups(life: Life) -> None:
    life.begin()
    before = life.groups()
    [partner] = life.partners_of("learner01")
    life.gives("learner01", partner)
    life.lms.reset_course(life.lms.course())
    reads_the_roster(life)
    assert life.groups() == before
    assert {life.member(one).status for one in LEARNERS} == {"active"}

    answers_doubt(life.launch("designer"), "left")
    life.run()
    assert {life.member(one).status for one in LEARNERS} == {"inactive"}

    # Who comes back the next term finds what they wrote.
    life.enrol("learner01")
    back = life.launch("learner01")
    assert f'href="/v/{back.key}/feedback/' in back.landing.text


def test_a_reset_that_was_a_mistake_of_the_platform_changes_nothing(life: Life) -> None:
    life.begin()
    before = life.groups()
    kept = dict(life.lms.course().enrolments)
    life.lms.reset_course(life.lms.course())
    reads_the_roster(life)
    answers_doubt(life.launch("designer"), "mistake")
    life.lms.course().enrolments = kept
    reads_the_roster(life)
    assert life.groups() == before
    assert {life.member(one).status for one in LEARNERS} == {"active"}


def test_the_first_page_says_that_learners_are_being_read_and_looks_again_by_itself(life: Life) -> None:
    """By a script, else by a link; and only until it knows who is in the course."""
    designer = life.set_up()
    for page, words in (
        (designer.get("/"), "so far. This usually takes about a minute. Look again"),
        (designer.get("/plan"), "so far. This usually takes a minute. Look again"),
    ):
        assert words in text_of(page)
        assert "data-look-again" in page.text
    assert "not enough learners yet" not in text_of(designer.get("/"))

    life.run()
    for page in (designer.get("/"), designer.get("/plan")):
        assert "data-look-again" not in page.text
    assert "4 learners are waiting for partners" in text_of(designer.get("/"))


def test_a_reading_that_waits_for_the_platform_is_not_called_under_way(life: Life) -> None:
    life.lms.faults.roster(500, times=None)
    designer = life.set_up()
    life.run_for(timedelta(hours=2))
    assert "Tandem continues by itself" in text_of(designer.get("/plan"))
    assert "data-look-again" not in designer.get("/").text


def test_who_left_a_group_that_had_begun_asks_staff_for_nothing(life: Life) -> None:
    life.begin()
    [partner] = life.partners_of("learner01")
    life.gives("learner01", partner)
    life.lms.unenrol(life.lms.course(), life.person(partner))
    reads_the_roster(life)

    designer = life.launch("designer")
    plan = text_of(designer.get("/plan"))
    assert "1 person left a group that had begun" in plan
    assert life.person(partner).name in plan
    assert "The course has changed since" not in plan
    assert "Bring the plan up to date" not in plan


def test_whoever_comes_when_all_groups_have_begun_asks_staff_for_nothing(life: Life) -> None:
    life.begin()
    for group in life.groups():
        one, other = sorted(group)
        life.gives(one, other)
    life.enrol("learner07")
    reads_the_roster(life)

    designer = life.launch("designer")
    plan = text_of(designer.get("/plan"))
    assert "1 place stays without a group" in plan
    assert "Bring the plan up to date" not in plan
    assert "has no group" not in text_of(designer.get("/"))


def test_the_form_that_is_open_while_the_partner_is_replaced_loses_nothing(life: Life) -> None:
    life.begin()
    [partner] = life.partners_of("learner01")
    other = sorted(LEARNERS - {"learner01", partner})[0]
    guest = life.launch("learner01")
    path = life.writing("learner01", partner)
    assert guest.get(path).status_code == 200
    for one in (partner, other):
        life.lms.unenrol(life.lms.course(), life.person(one))
    reads_the_roster(life)
    answers_doubt(life.launch("designer"), "left")
    life.run()
    assert life.partners_of("learner01") == LEARNERS - {"learner01", partner, other}

    again = life.launch("learner01")
    answer = again.post(path, **TEXTS, do="give")

    assert answer.status_code == 404
    assert all(text in answer.text for text in TEXTS.values())
    assert TEXTS["effect"] in again.get("/kept").text
