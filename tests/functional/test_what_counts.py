"""A designer ticks what counts, and sees beside it what learners will see."""

import re

import pytest
from flask import Flask

from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.fakes.clock import FakeClock
from tests.functional.designing import Designer, a_designer, fields_of


@pytest.fixture
def visiting(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    return a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)


def section(page: str) -> str:
    found = re.search(r'aria-labelledby="group-completion".*?What goes to the gradebook', page, re.DOTALL)
    assert found is not None
    return found[0]


def folded(page: str) -> set[str]:
    """The steps that are under “More”."""
    found = re.search(r"<details.*?</details>", section(page), re.DOTALL)
    return set(re.findall(r'name="(\w+)"', found[0])) if found else set()


def checklist(page: str) -> list[str]:
    found = re.search(r'<div id="checklist".*?</ul>', page, re.DOTALL)
    lines = re.findall(r"<li>(.*?)</li>", found[0], re.DOTALL) if found else []
    return [" ".join(re.sub(r"<[^>]+>", "", line).split()) for line in lines]


def test_steps_that_seldom_count_are_folded_where_there_are_many(visiting: Designer) -> None:
    path, fields = visiting.start("reflection")
    page = visiting.get(path).text
    of_goals = {"look_back", "goal_check_in", "goal_set", "action_written"}
    assert folded(page) == {"warm_up", "check_in", "talk_goals", "heard", "self_assessment"} | of_goals
    page = visiting.follow(visiting.post(path, **fields | {"check_in": "1"}, do="save")).text
    assert "check_in" not in folded(page), "what is ticked stands before the others"


def test_the_checklist_follows_what_is_ticked_and_saves_nothing(visiting: Designer) -> None:
    path, fields = visiting.start("role_play")
    assert "Agree on what stays between you in the first round only" in checklist(visiting.get(path).text)
    fields.pop("takes")
    page = visiting.post(path, **fields | {"check_in": "1", "title": "Mine"}, do="checklist").text
    assert "Check in: a win or a challenge" in checklist(page)
    assert "Play the scenario, in two takes or more" not in checklist(page)
    assert fields_of(page)["title"] == "Mine"
    [activity] = visiting.activities()
    assert activity.title == "Role-play"
    assert "check_in" not in activity.completion or not activity.completion["check_in"]


def test_a_number_of_notes_is_in_the_checklist_and_a_wrong_one_is_not_hidden(visiting: Designer) -> None:
    path, fields = visiting.start()
    page = visiting.post(path, **fields | {"write_notes": "2"}, do="checklist").text
    assert "Write at least 2 notes about Robin" in checklist(page)
    refused = visiting.post(path, **fields | {"write_notes": "some"}, do="save")
    assert refused.status_code == 422
    assert "write_notes" not in folded(refused.text)


def test_nothing_that_counts_is_said(visiting: Designer) -> None:
    path, fields = visiting.start()
    for name in ("give_feedback", "acknowledge"):
        fields.pop(name)
    assert "Nothing counts yet." in visiting.post(path, **fields, do="checklist").text


def test_the_preview_lists_steps_of_a_meeting_only_where_they_count(visiting: Designer) -> None:
    path, fields = visiting.start("role_play")
    page = visiting.post(path, **fields | {"check_in": "1"}, do="preview").text
    assert page.count("Check in: a win or a challenge") == len(visiting.rounds(visiting.activities()[0]))
    assert page.count("<span>Agree on what stays between you") == 1, "once, before the first meeting"
    assert "Park what came up" not in page


def test_steps_with_goals_and_actions_say_when_they_are_asked_for(visiting: Designer) -> None:
    path, fields = visiting.start("reflection")
    ticked = fields | {"goal_set": "1", "look_back": "1"}
    shown = checklist(visiting.post(path, **ticked, do="checklist").text)
    assert "Set a goal of your own once, in any round" in shown
    assert "Look back at your open actions from the second round on" in shown
    page = visiting.post(path, **ticked, do="preview").text
    rounds = len(visiting.rounds(visiting.activities()[0]))
    assert page.count("<span>Set a goal of your own") == 1
    assert page.count("<span>Look back at your open actions") == rounds - 1
