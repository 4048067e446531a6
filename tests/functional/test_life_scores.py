"""When a score is sent over the life of an activity, and when nothing may be."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.designing import fields_of
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life

ONE, TWO = "learner01", "learner02"


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=2) as life:
        yield life


def test_nothing_is_sent_before_the_checklist_is_complete_and_full_marks_then(life: Life) -> None:
    life.begin()
    life.gives(ONE, TWO)
    life.gives(TWO, ONE)
    life.run()
    assert life.sent() == 0
    life.answers(ONE, TWO)
    life.run()
    assert (life.shown(ONE), life.shown(TWO)) == (100, None)
    life.answers(TWO, ONE)
    life.run()
    assert (life.shown(ONE), life.shown(TWO), life.sent()) == (100, 100, 2)
    assert "Your course gradebook has 100 of 100 points" in text_of(life.launch(ONE).landing)


def test_a_proportional_score_is_first_sent_when_something_counts(life: Life) -> None:
    life.begin(score_mode="proportional", score_maximum="40")
    assert life.sent() == 0
    life.gives(ONE, TWO)
    life.run()
    assert (life.shown(ONE), life.shown(TWO)) == (20, None)
    life.gives(TWO, ONE)
    life.answers(ONE, TWO)
    life.run_for(timedelta(minutes=1))
    assert (life.shown(ONE), life.shown(TWO)) == (40, 20)


@pytest.mark.parametrize(("chosen", "shown"), [({}, None), ({"zero_at_close": "1"}, 0)])
def test_a_zero_is_sent_at_the_close_only_where_the_designer_chose_it(
    life: Life, chosen: dict[str, Any], shown: float | None
) -> None:
    life.begin(**chosen)
    life.run_for(timedelta(days=20))
    assert (life.sent(), life.shown(ONE)) == (0, None)
    life.launch("designer").post("/setup/close")
    life.run()
    assert (life.shown(ONE), life.shown(TWO)) == (shown, shown)


def test_a_partner_who_never_writes_costs_nobody_their_score(life: Life) -> None:
    """Nothing is written at the due time, so the tool has to look by itself."""
    life.begin()
    life.gives(ONE, TWO)
    life.run_for(timedelta(days=6))
    assert life.shown(ONE) is None
    life.run_for(timedelta(days=2))
    assert (life.shown(ONE), life.shown(TWO)) == (100, None)


def test_a_partner_with_more_time_is_waited_for(life: Life) -> None:
    life.begin()
    designer = life.launch("designer")
    life.gives(ONE, TWO)
    day = f"{life.clock.now() + timedelta(days=10):%Y-%m-%d}"
    path = f"/progress/{life.member(TWO).id}/allow/1"
    assert designer.post(path, wish="extend", day=day, clock="").status_code == 200
    life.run_for(timedelta(days=8))
    assert life.shown(ONE) is None
    life.run_for(timedelta(days=3))
    assert life.shown(ONE) == 100


def test_a_partner_who_leaves_takes_nobody_s_score_along(life: Life) -> None:
    life.begin()
    life.gives(ONE, TWO)
    life.lms.unenrol(life.lms.course(), life.person(TWO))
    life.enrol("learner03")
    life.clock.advance(timedelta(hours=13))
    life.launch("designer")
    life.run()
    assert life.shown(ONE) == 100


def test_who_is_excused_from_all_is_sent_nothing_and_their_partner_is_not_held_up(life: Life) -> None:
    life.begin()
    designer = life.launch("designer")
    life.gives(ONE, TWO)
    designer.post(f"/progress/{life.member(TWO).id}/allow/1", wish="excuse")
    life.run()
    assert (life.shown(ONE), life.shown(TWO)) == (100, None)
    assert "You are excused" in text_of(life.launch(TWO).landing)


def test_completion_that_is_lost_lowers_nothing_until_staff_say_so(life: Life) -> None:
    life.begin(score_mode="proportional")
    life.completes(ONE, TWO)
    assert life.shown(ONE) == 100
    life.clock.advance(timedelta(minutes=5))
    designer = life.launch("designer")
    fields = fields_of(designer.get("/setup").text)
    fields.pop("form_token", None)
    changed = designer.post("/setup", **{**fields, "write_notes": "2"}, do="save")
    assert changed.status_code == 200
    life.run_for(timedelta(minutes=5))
    assert (life.shown(ONE), life.score(ONE).state) == (100, "asks")
    assert "Needs your decision" in text_of(designer.get("/grades"))
    assert "Your course gradebook has 100" in text_of(life.launch(ONE).landing)

    designer.post(f"/grades/{life.score(ONE).id}/answer", means="lower")
    designer.post(f"/grades/{life.score(TWO).id}/answer", means="keep")
    life.run_for(timedelta(minutes=5))
    assert (round(life.shown(ONE) or 0, 1), life.shown(TWO)) == (66.7, 100)


def test_a_score_that_the_lms_refuses_for_now_is_on_the_overview_and_arrives_by_itself(life: Life) -> None:
    life.begin()
    life.lms.faults.scores(404, times=None)
    life.completes(ONE, TWO)
    life.run()
    assert "reached the gradebook yet" not in text_of(life.launch("designer").landing)
    life.run_for(timedelta(hours=2))
    designer = life.launch("designer")
    assert "2 scores have not reached the gradebook yet. Tandem keeps trying." in text_of(designer.landing)
    ledger = text_of(designer.get("/grades?state=held"))
    assert "says that it does not know where to put the score" in ledger
    assert "Tandem tries again" in ledger
    life.lms.faults.clear()
    life.run_for(timedelta(days=1))
    assert (life.shown(ONE), life.shown(TWO)) == (100, 100)
