"""Links that the LMS restricts, hides or deletes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lti_tool.roster.service import links
from lti_tool.wiring import Services
from sandbox_lms import ResourceLink
from tests.fakes.clock import FakeClock
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life

LEARNERS = [f"learner{number:02}" for number in range(1, 7)]
GROUP_A = LEARNERS[:4]
LATER = timedelta(hours=13)


@pytest.fixture(params=["moodle", "canvas"])
def life(services: Services, clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Life]:
    with a_life(services, clock, request.param, learners=6) as life:
        yield life


def restricts(life: Life, learners: list[str], link: ResourceLink | None = None) -> None:
    life.lms.restrict(link or life.link, [life.person(one) for one in learners])


def reads_the_roster(life: Life) -> None:
    """The roster is old, and somebody launches."""
    life.clock.advance(LATER)
    life.launch("designer")
    life.run()


def paired(life: Life) -> set[str]:
    return {one for group in life.groups() for one in group}


def test_who_may_not_open_the_activity_is_not_paired_and_named_in_the_plan(life: Life) -> None:
    restricts(life, GROUP_A)
    life.begin()
    designer = life.launch("designer")

    assert paired(life) == set(GROUP_A)
    plan = text_of(designer.get("/plan"))
    assert "2 learners cannot open this activity" in plan
    for one in LEARNERS[4:]:
        assert life.person(one).name in plan
    assert "4 learners 2 more cannot open it" in text_of(designer.get("/"))
    ledger = text_of(designer.get("/grades"))
    assert life.person(LEARNERS[0]).name in ledger
    assert life.person(LEARNERS[5]).name not in ledger


def test_somebody_who_is_let_in_later_joins_and_somebody_who_is_locked_out_leaves(life: Life) -> None:
    restricts(life, GROUP_A)
    life.begin()
    restricts(life, [*LEARNERS[1:4], LEARNERS[4]])
    reads_the_roster(life)

    assert paired(life) == set(LEARNERS[1:5])


def test_a_launch_by_somebody_whom_the_roster_locked_out_lets_them_in_at_once(life: Life) -> None:
    restricts(life, GROUP_A)
    life.begin()
    life.lms.open_to_all(life.link)
    life.launch(LEARNERS[5])
    life.run()

    assert paired(life) == {*GROUP_A, LEARNERS[5]}


def test_an_activity_that_is_hidden_from_everybody_is_planned_for_everybody_and_says_so(life: Life) -> None:
    restricts(life, [])
    life.begin()
    designer = life.launch("designer")

    assert paired(life) == set(LEARNERS)
    for page in ("/plan", "/"):
        assert "no learner can open this activity" in text_of(designer.get(page))

    life.lms.open_to_all(life.link)
    reads_the_roster(life)
    assert "no learner can open this activity" not in text_of(designer.get("/plan"))


def test_an_answer_about_a_link_that_breaks_off_locks_nobody_out(life: Life) -> None:
    life.begin()
    before = life.groups()
    restricts(life, GROUP_A)
    life.lms.faults.roster(500, times=None)
    with life.services.kit.open_session(life.institution_id) as session:
        links.ask_about_links(session, life.course().id, now=life.clock.now())
    life.run_for(timedelta(minutes=10))
    assert life.groups() == before

    life.lms.faults.clear()
    life.run_for(timedelta(hours=12))
    assert paired(life) == set(GROUP_A)


def test_a_partner_who_is_locked_out_after_the_group_began_is_not_waited_for(life: Life) -> None:
    life.begin()
    [partner] = life.partners_of(LEARNERS[0])
    life.gives(LEARNERS[0], partner)
    restricts(life, [one for one in LEARNERS if one != partner])
    reads_the_roster(life)

    assert "You have done everything here" in text_of(life.launch(LEARNERS[0]).landing)


def test_a_deleted_activity_leaves_the_list_of_the_others_within_minutes(life: Life) -> None:
    second = life.lms.add_link(life.lms.course(), life.tool, title="Another", line_item={})
    life.set_up(title="The first")
    life.set_up(second, title="The second")
    life.publish(life.launch("designer"))
    assert "The second" in text_of(life.launch("designer").landing)
    life.lms.delete_link(second)
    # Staff, who delete activities, need not wait for the next roster.
    life.clock.advance(timedelta(minutes=6))
    life.launch("designer")
    life.run()

    assert "The second" not in text_of(life.launch("designer").landing)


def test_learners_are_not_led_to_an_activity_that_they_may_not_open(life: Life) -> None:
    second = life.lms.add_link(life.lms.course(), life.tool, title="Another", line_item={})
    restricts(life, GROUP_A, second)
    life.set_up(title="The first")
    life.set_up(second, title="The second")
    life.publish(life.launch("designer"))

    assert "The second" in text_of(life.launch(GROUP_A[0]).landing)
    outside = life.launch(LEARNERS[5])
    assert "The second" not in text_of(outside.landing)
    assert outside.send(f"/also/{life.activity(second).id}").status_code == 404
