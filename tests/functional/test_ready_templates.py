"""Every ready template is chosen, opened, planned and met by learners, through the pages."""

from collections.abc import Iterator

import pytest

from lti_tool.activities.rules import Completion, kind_of
from lti_tool.activities.rules.templates import TEMPLATES
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules import preferences
from lti_tool.pairing.rules.preferences import Preferences
from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=4) as life:
        yield life


def wanted_in(life: Life) -> Preferences:
    with life.look() as session:
        return pairing.preferences_of(session, life.activity()).preferences


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_leads_from_the_chooser_to_a_learners_checklist(life: Life, key: str) -> None:
    template = TEMPLATES[key]
    chooser = text_of(life.launch("designer").get("/setup"))
    for said in (template.title, template.good_for, template.how_long, *template.what_happens):
        assert said in chooser
    designer = life.set_up(template=key, observer_feedback="1")
    assert wanted_in(life) == preferences.read(template.preferences)
    life.publish(designer)
    assert [len(group) for group in life.groups()] == ([4] if template.is_in_circles else [2, 2])
    learner = life.launch("learner01")
    assert "What counts" in text_of(learner.landing)
    kind = kind_of(template.kind)
    asked = Completion.usual(kind)
    grid = text_of(life.launch("designer").get("/progress"))
    for step in kind.steps:
        assert (f"Round 1: {step.words.name}" in grid) is (asked.of(step) > 0)


@pytest.mark.parametrize("key", ["new_managers", "cross_training"])
def test_pages_say_when_nothing_is_known_of_what_a_rule_needs(life: Life, key: str) -> None:
    designer = life.set_up(template=key)
    life.run()
    rules = text_of(designer.get("/plan/rules"))
    assert "known for 0 of 4" in rules
    life.publish(designer)
    assert [len(group) for group in life.groups()] == [2, 2]


def test_the_picture_of_rounds_says_in_words_who_meets_whom(life: Life) -> None:
    page = text_of(life.launch("designer").get("/setup"))
    assert "Who meets whom, with eight people as an example" in page
    assert "Round 1: 1, 2; 3, 4; 5, 6; 7, 8." in page
    assert "Circles of four or five people, mixed anew in each round" in page
