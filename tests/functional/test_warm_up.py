"""Help, and the warm-up before the first meeting."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import KINDS
from lti_tool.activities.rules.templates import OBSERVATION_AND_FEEDBACK, TEMPLATES
from lti_tool.craft.rules.cards import CARDS
from lti_tool.craft.rules.topics import TOPICS
from lti_tool.wiring import Services
from lti_tool.workspace.personal_data import erase, everything_about
from tests.fakes.clock import FakeClock
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life

ANSWERS = {"open-questions": "What would you like to say?", "goals": "I present twice without notes in May"}


@pytest.fixture
def life(services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    template = replace(OBSERVATION_AND_FEEDBACK, key="of_kind", kind="open", title="Meet")
    monkeypatch.setitem(TEMPLATES, "of_kind", template)
    with a_life(services, clock, learners=2) as life:
        life.publish(life.set_up(template="of_kind", rounds=2))
        with life.kit.open_session(life.activity().institution_id) as session:
            steps = {step.key: 0 for step in KINDS["open"].steps}
            session.execute(update(Activity).values(completion=steps | {"warm_up": 1}))
        yield life


def test_the_warm_up_counts_once_all_six_cards_are_done(life: Life) -> None:
    me = life.launch("learner01")
    home = me.get("/")
    assert re.search(r'class="btn btn-primary" href="[^"]*/warm-up">\s*Begin the warm-up', home.text)
    for place, card in enumerate(CARDS, start=1):
        assert "You have done all six" not in me.get("/warm-up").text
        assert "You have done everything here" not in text_of(me.get("/"))
        right = next((str(number) for number, option in enumerate(card.options) if option.is_right), "")
        page = me.post(f"/warm-up/{card.key}", option=right, answer=ANSWERS.get(card.key, ""))
        assert "notice-done" in page.text, card.key
        assert me.get("/warm-up").text.count("state-done") == place
    life.run()

    assert "You have done all six" in me.get("/warm-up").text
    assert "You have done everything here" in text_of(me.get("/"))
    assert life.shown("learner01") == 100.0
    assert not life.shown("learner02")


def test_an_answer_is_judged_at_once_and_may_stay_as_it_is(life: Life) -> None:
    me = life.launch("learner01")
    wrong = next(str(number) for number, option in enumerate(CARDS[0].options) if not option.is_right)
    assert CARDS[0].options[int(wrong)].answer in text_of(me.post(f"/warm-up/{CARDS[0].key}", option=wrong))
    assert "Choose one of the answers" in me.post(f"/warm-up/{CARDS[0].key}", option="9").text
    page = me.post("/warm-up/open-questions", answer="Have you tried <b>it</b>?")
    assert "There is still advice in it" in page.text
    assert "Have you tried &lt;b&gt;it&lt;/b&gt;?" in page.text
    assert "state-done" not in me.get("/warm-up").text
    assert "state-done" in me.post("/warm-up/open-questions", answer="Have you tried it?", do="keep").text
    assert me.post("/warm-up/nothing", option="1").status_code == 404


def test_every_help_topic_is_one_tap_from_every_page(life: Life) -> None:
    for name in ("learner01", "designer"):
        guest = life.launch(name)
        assert re.search(r'href="[^"]*/help">Help<', guest.get("/").text)
        listed = guest.get("/help").text
        for topic in TOPICS:
            assert f"/help/{topic.key}" in listed
            assert topic.title in guest.get(f"/help/{topic.key}").text.replace("&#39;", "'")
        assert guest.get("/help/nothing").status_code == 404


def test_what_somebody_did_is_theirs_and_goes_with_them(life: Life) -> None:
    me = life.launch("learner01")
    me.post("/warm-up/goals", answer=ANSWERS["goals"])
    with life.kit.open_session(life.activity().institution_id) as session:
        person_id = life.member("learner01").person_id
        everything = everything_about(session, person_id)
        assert [row["card"] for row in everything["warm_up"]] == ["goals"]
        assert ANSWERS["goals"] not in str(everything), "what is written in an exercise is kept nowhere"
        erase(session, person_id, now=life.clock.now())
        assert everything_about(session, person_id)["warm_up"] == []
