"""A designer writes the scenario of a role-play; private briefs stay private."""

import re

import pytest
from flask import Flask

from lti_tool.activities.rules import scenario_of
from lti_tool.activities.rules.templates.scenarios import READY_SCENARIOS
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.designing import Designer, a_designer, answer_page, claims_of, fields_of
from tests.functional.guests import text_of
from tests.functional.living import a_life

PUBLIC, SELF, OTHER = "scenario-public", "scenario-brief-self", "scenario-brief-other"
OWN = {PUBLIC: "At the <door>", SELF: "You have the key.", OTHER: "You want to get in."}


@pytest.fixture
def placing(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    return a_designer(app, kit, clock, kind=VisitKind.PLACING)


@pytest.fixture
def visiting(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    return a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)


def test_a_role_play_begins_with_a_scenario_that_can_be_replaced(visiting: Designer) -> None:
    path, fields = visiting.start("role_play")
    assert fields[PUBLIC] == READY_SCENARIOS["feedback"].texts.public
    page = visiting.follow(visiting.post(path, **fields | OWN, do="save"))
    assert fields_of(page.text) | OWN == fields_of(page.text)
    scenario = scenario_of(visiting.activities()[0])
    assert scenario is not None
    assert scenario.brief_for("other") == OWN[OTHER]


def test_a_ready_scenario_sets_own_words_aside_and_nothing_is_saved(visiting: Designer) -> None:
    path, fields = visiting.start("role_play")
    page = visiting.post(path, **fields | OWN | {"title": "Doors"}, do="scenario-complaint")
    shown = fields_of(page.text)
    assert shown["title"] == "Doors"
    assert shown[PUBLIC] == READY_SCENARIOS["complaint"].texts.public
    assert "Your own text is set aside until you save this page." in text_of(page)
    back = fields_of(visiting.post(path, **shown, do="scenario-back").text)
    assert {name: back[name] for name in OWN} == OWN
    assert visiting.activities()[0].title == "Role-play"


def test_a_refused_page_keeps_the_scenario_and_points_to_what_is_missing(visiting: Designer) -> None:
    path, fields = visiting.start("role_play")
    answer = visiting.post(path, **fields | OWN | {PUBLIC: ""}, do="open")
    assert answer.status_code == 422
    assert f'<a href="#{PUBLIC}">' in answer.text
    assert fields_of(answer.text)[SELF] == OWN[SELF]
    again = visiting.post(path, **fields | OWN | {"title": ""}, do="open")
    assert again.status_code == 422
    assert {name: fields_of(again.text)[name] for name in OWN} == OWN


def test_an_empty_scenario_means_that_people_bring_their_own(visiting: Designer) -> None:
    path, fields = visiting.start("role_play")
    visiting.follow(visiting.post(path, **fields | dict.fromkeys(OWN, ""), do="open"))
    assert visiting.activities()[0].scenario is None


def test_the_learners_preview_shows_the_public_part_only(visiting: Designer) -> None:
    path, fields = visiting.start("role_play")
    preview = visiting.post(path, **fields | OWN, do="preview").text
    seen = re.search(r'<section class="learner-page".*?</section>', preview, re.DOTALL)
    assert seen is not None
    assert "At the &lt;door&gt;" in seen[0]
    assert OWN[SELF] not in seen[0]
    assert OWN[OTHER] not in seen[0]


def test_the_lms_is_told_nothing_of_the_scenario(placing: Designer) -> None:
    path, fields = placing.start("role_play")
    claims = claims_of(placing, answer_page(placing, placing.post(path, **fields | OWN, do="place")))
    assert not any(text in str(claims) for text in OWN.values())


def test_other_kinds_have_no_scenario(visiting: Designer) -> None:
    path, fields = visiting.start("goals")
    assert PUBLIC not in fields
    visiting.follow(visiting.post(path, **fields | OWN, do="save"))
    assert visiting.activities()[0].scenario is None


def test_a_copied_course_has_the_scenario(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2) as life:
        life.set_up(template="role_play", **OWN)
        life.link.custom = {"activity": life.activity().key}
        copied = life.lms.copy_course(life.lms.course(), "next-term")
        [link] = [link for link in life.lms.links if link.course is copied]
        life.launch("designer", link)
        assert life.activity(link).scenario == life.activity().scenario
        assert scenario_of(life.activity(link)) is not None
