"""What learners do with goals and actions counts: on their first page, in the checklist, in the score."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from lti_tool.activities.models import Activity
from lti_tool.activities.rules.templates import OBSERVATION_AND_FEEDBACK, TEMPLATES
from lti_tool.progress.service import progress_of
from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life

NOTHING = {"agree": 0, "wish": 0, "action_plan": 0, "meet": 0, "give_feedback": 0, "acknowledge": 0}
GOAL = {"goal_words": "I ask three open questions in every team meeting"}


@pytest.fixture
def life(services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    template = replace(OBSERVATION_AND_FEEDBACK, key="of_kind", kind="goals", title="Meet")
    monkeypatch.setitem(TEMPLATES, "of_kind", template)
    with a_life(services, clock, learners=4) as life:
        life.begin(template="of_kind", rounds=2)
        yield life


def counts(life: Life, **asked: int) -> None:
    """Only these steps count."""
    with life.kit.open_session(life.activity().institution_id) as session:
        session.execute(update(Activity).values(completion={**NOTHING, **asked}))


def test_setting_a_goal_completes_what_asks_for_it(life: Life) -> None:
    counts(life, goal_set=1)
    me = life.launch("learner01")
    page = me.get("/")
    assert "Set a goal of your own" in text_of(page)
    link = re.search(r'href="[^"]*(/round/1/meeting\?part=goal#goal)"', page.text)
    assert link is not None
    assert "/goals/new" in me.get(link[1]).text
    assert "0 of 1" in text_of(page)

    me.post("/goals/new", **GOAL)
    life.run()

    page = text_of(me.get("/"))
    assert "You have done everything here" in page
    assert life.shown("learner01") == 100.0
    assert not life.shown("learner02")


def test_each_line_of_the_checklist_opens_the_place_where_it_is_done(life: Life) -> None:
    counts(life, goal_check_in=1, action_written=1, look_back=1)
    me = life.launch("learner01")
    page = me.get("/").text
    lines = (
        ("Say how one of your goals", 1, "goal"),
        ("Write down an action", 1, "next"),
        ("Look back at", 2, "opening"),
    )
    for name, number, part in lines:
        assert re.search(rf'<a href="[^"]*/round/{number}/meeting\?part={part}#{part}">{name}', page), name
    assert "opens after the round before it" in page
    assert me.post("/goals/actions", action_words="Ask first").status_code == 200
    assert "1 of 5 done" in text_of(me.get("/"))
    staff = life.launch("designer").get("/progress")
    assert "Action written" in staff.text
    assert "Looked back at actions" in staff.text
    assert "Ask first" not in staff.text


def test_staff_read_how_the_steps_with_goals_stand_group_by_group_and_when_they_were_done(
    life: Life, clock: FakeClock
) -> None:
    counts(life, goal_set=1, goal_check_in=1, look_back=1)
    me = life.launch("learner01")
    me.post("/goals/new", **GOAL)
    set_at = clock.now()
    clock.advance(timedelta(hours=1))
    for how in ("I tried", "I tried again"):
        me.post("/goals/1/check-in", check_in_how=how)
        clock.advance(timedelta(hours=1))

    designer = life.launch("designer")
    page = text_of(designer.get("/meetings?round=1"))
    assert page.count("1 of 2") == 2
    assert page.count("not asked") == 2, "there is nothing to look back at in the first round"
    later = text_of(designer.get("/meetings?round=2"))
    assert "Looked back at actions" in later
    assert "Goal set" in later
    assert later.count("not asked") == 2
    with life.look() as session:
        done = progress_of(session, life.activity().id, life.member("learner01").id, clock.now())
    at = {item.step.key: item.done_at for item in done.items if item.done_at is not None}
    assert at == {"goal_set": set_at, "goal_check_in": set_at + timedelta(hours=1)}
