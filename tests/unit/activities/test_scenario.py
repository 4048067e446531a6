"""The scenario of a role-play: who reads what, and what becomes of typed text."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lti_tool.activities import forms
from lti_tool.activities.forms import ScenarioText, SetupText
from lti_tool.activities.rules import KINDS, Scenario, scenario_of
from lti_tool.activities.rules.settings import LONGEST_INSTRUCTIONS
from lti_tool.activities.rules.templates import TEMPLATES
from lti_tool.activities.rules.templates.scenarios import READY_SCENARIOS, scenarios_for
from tests.factories.activities import as_written

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
OWN = ScenarioText("Mine", {"self": "My brief", "other": ""})


@dataclass
class Kept:
    kind: str
    scenario: Any


def role_play(scenario: ScenarioText) -> SetupText:
    template = TEMPLATES["role_play"]
    settings = template.settings(as_written, now=NOW, time_zone="UTC")
    return replace(forms.shown(settings, template.rubric(as_written), version=1), scenario=scenario)


def pressed(scenario: ScenarioText, button: str) -> ScenarioText:
    answer = forms.press(role_play(scenario), button)
    assert answer is not None
    assert answer[1] == "scenario-public"
    return answer[0].scenario


def problems(scenario: ScenarioText) -> dict[str, str]:
    return forms.read(role_play(scenario), now=NOW).problems


def test_a_seat_gets_its_own_brief_and_no_other() -> None:
    scenario = scenario_of(Kept("role_play", {"public": "P", "briefs": {"self": "S"}}))
    assert scenario is not None
    assert (scenario.public, scenario.brief_for("self")) == ("P", "S")
    assert scenario.brief_for("other") == scenario.brief_for("") == ""


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("role_play", None), ("role_play", {"public": "", "briefs": {}}), ("goals", {"public": "P"}), ("gone", {})],
)
def test_there_is_no_scenario_where_none_was_written_or_the_kind_has_none(kind: str, kept: Any) -> None:
    assert scenario_of(Kept(kind, kept)) is None


def test_a_scenario_survives_the_database() -> None:
    scenario = Scenario("P", {"self": "S", "other": "O"})
    assert Scenario.from_json(scenario.to_json()) == scenario


def test_three_ready_scenarios_suit_a_role_play_and_one_a_rehearsal() -> None:
    assert [one.key for one in scenarios_for(KINDS["role_play"])] == ["feedback", "complaint", "no"]
    assert [one.key for one in scenarios_for(KINDS["rehearsal"])] == ["audience"]
    assert scenarios_for(KINDS["goals"]) == []


@pytest.mark.parametrize("key", READY_SCENARIOS)
def test_a_ready_scenario_has_a_brief_for_each_seat_of_its_kinds(key: str) -> None:
    ready = READY_SCENARIOS[key]
    kinds = [kind for kind in KINDS.values() if ready.suits(kind)]
    assert kinds
    for kind in kinds:
        assert all(ready.texts.brief_for(seat.key) for seat in kind.seats)


def test_a_button_fills_in_a_ready_scenario() -> None:
    filled = pressed(ScenarioText(), "scenario-complaint")
    assert Scenario.written(filled.public, filled.briefs) == READY_SCENARIOS["complaint"].texts
    assert filled.set_aside is None
    assert pressed(filled, "scenario-no").set_aside is None


def test_own_words_are_set_aside_and_come_back() -> None:
    filled = pressed(OWN, "scenario-complaint")
    assert filled.set_aside == OWN
    other = pressed(filled, "scenario-no")
    assert other.set_aside == OWN
    back = pressed(other, "scenario-back")
    assert replace(back, set_aside=None) == OWN
    assert back.set_aside == replace(other, set_aside=None)


@pytest.mark.parametrize("button", ["scenario-back", "scenario-audience", "scenario-unknown"])
def test_a_button_that_does_not_fit_changes_nothing(button: str) -> None:
    assert pressed(OWN, button) == OWN


def test_private_briefs_need_something_that_everyone_reads() -> None:
    assert list(problems(ScenarioText("", {"self": "S"}))) == ["scenario-public"]
    assert problems(ScenarioText("P", {})) == problems(ScenarioText()) == {}


def test_a_long_text_is_refused_where_it_stands() -> None:
    long = "x" * (LONGEST_INSTRUCTIONS + 1)
    assert list(problems(ScenarioText(long, {"other": long}))) == ["scenario-public", "scenario-brief-other"]


def test_what_is_sent_is_read_back_with_what_was_set_aside() -> None:
    fields = {
        "scenario-public": " One\r\ntwo ",
        "scenario-brief-self": "S",
        "scenario-aside-public": "A",
        "scenario-aside-brief-other": "B",
    }
    typed = forms.typed(fields, kind="role_play").scenario
    assert (typed.public, typed.briefs) == ("One\ntwo", {"self": "S", "other": ""})
    assert typed.set_aside == ScenarioText("A", {"self": "", "other": "B"})
    assert forms.typed(fields, kind="goals").scenario == ScenarioText()
