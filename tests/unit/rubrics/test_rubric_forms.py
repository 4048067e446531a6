"""The rubric editor: what was typed survives, and its buttons do what they say."""

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lti_tool.rubrics.forms import CriterionText, LevelText, RubricText, press, read, shown, typed
from lti_tool.rubrics.rules import CriterionDraft, LevelDraft, RubricDraft

TWO = RubricText(
    "Teaching",
    (
        CriterionText("Voice", "Loud?", (LevelText("Not yet", "a", "0"), LevelText("Solid", "b", "2"))),
        CriterionText("Time", "", (LevelText("Late", "", "0"), LevelText("In time", "", "1"))),
    ),
    use_points=True,
)


def fields_of(text: RubricText) -> dict[str, str]:
    """What a browser sends of this editor."""
    fields = {"rubric-title": text.title} | ({"use_points": "1"} if text.use_points else {})
    for c, criterion in enumerate(text.criteria):
        fields |= {f"c{c}-name": criterion.name, f"c{c}-description": criterion.description}
        for n, level in enumerate(criterion.levels):
            fields |= {
                f"c{c}-l{n}-label": level.label,
                f"c{c}-l{n}-description": level.description,
                f"c{c}-l{n}-points": level.points,
            }
    return fields


def pressed(text: RubricText, button: str) -> tuple[RubricText, str]:
    answer = press(text, button)
    assert answer is not None
    return answer


def names(text: RubricText) -> list[str]:
    return [criterion.name for criterion in text.criteria]


def labels(text: RubricText, criterion: int = 0) -> list[str]:
    return [level.label for level in text.criteria[criterion].levels]


def test_what_was_typed_is_what_is_shown_again() -> None:
    assert typed(fields_of(TWO)) == TWO


def test_a_gap_in_the_numbering_closes() -> None:
    fields = fields_of(TWO)
    without_first = {name: value for name, value in fields.items() if not name.startswith("c0")}
    assert names(typed(without_first)) == ["Time"]


def test_a_kept_rubric_comes_back_the_same_through_the_form() -> None:
    draft = RubricDraft("T", (CriterionDraft("Voice", "d", (LevelDraft("A", "x", 0), LevelDraft("B", "y", 3))),))
    again, problems = read(typed(fields_of(shown(draft))))
    assert (again, problems) == (draft, {})


@pytest.mark.parametrize("points", ["1.5", "-1", "many", "１", "99999999"])
def test_points_that_are_no_whole_number_are_named_and_kept_as_typed(points: str) -> None:
    text = typed(fields_of(TWO) | {"c1-l0-points": points})
    _, problems = read(text)
    assert list(problems) == ["c1-l0-points"]
    assert text.criteria[1].levels[0].points == points


def test_empty_points_are_none_at_all() -> None:
    draft, problems = read(typed(fields_of(TWO) | {"c0-l1-points": ""}))
    assert problems == {}
    assert draft.criteria[0].levels[1].points == 0


def test_points_count_only_where_they_are_used() -> None:
    without = replace(TWO, use_points=False)
    draft, problems = read(typed(fields_of(without) | {"c1-l0-points": "many"}))
    assert problems == {}
    assert [level.points for criterion in draft.criteria for level in criterion.levels] == [0, 0, 0, 0]
    again = shown(draft)
    assert not again.use_points
    assert again.criteria[0].levels[1].points == ""
    assert shown(read(TWO)[0]) == TWO


def test_without_points_a_new_level_has_none() -> None:
    three, _ = pressed(replace(TWO, use_points=False), "add-level-0")
    assert three.criteria[0].levels[2].points == ""


def test_problems_stand_at_the_fields_they_concern() -> None:
    text = RubricText("", (CriterionText("", "", (LevelText("Same"), LevelText("same"))), CriterionText("Alone")))
    _, problems = read(text)
    assert list(problems) == ["c0-name", "c0-l1-label", "c1-levels"]


def test_a_new_criterion_begins_with_the_ladder_of_the_one_before() -> None:
    text, focus = pressed(TWO, "add-criterion")
    assert focus == "c2-name"
    assert names(text) == ["Voice", "Time", ""]
    assert labels(text, 2) == ["Late", "In time"]


def test_the_first_criterion_of_an_empty_rubric_has_two_levels_to_fill() -> None:
    text, _ = pressed(RubricText(), "add-criterion")
    assert labels(text) == ["", ""]


def test_criteria_and_levels_move_and_go() -> None:
    assert names(pressed(TWO, "down-criterion-0")[0]) == ["Time", "Voice"]
    assert pressed(TWO, "up-criterion-1") == (replace(TWO, criteria=TWO.criteria[::-1]), "c0-name")
    assert names(pressed(TWO, "remove-criterion-0")[0]) == ["Time"]
    assert labels(pressed(TWO, "up-level-0-1")[0]) == ["Solid", "Not yet"]
    three, focus = pressed(TWO, "add-level-0")
    assert (labels(three), focus) == (["Not yet", "Solid", ""], "c0-l2-label")
    assert three.criteria[0].levels[2].points == "3"
    assert labels(pressed(three, "remove-level-0-1")[0]) == ["Not yet", ""]


@pytest.mark.parametrize(
    "button",
    ["up-criterion-0", "down-criterion-1", "up-level-0-0", "down-level-1-1", "remove-level-0-0", "remove-criterion-9"],
)
def test_a_button_that_leads_nowhere_changes_nothing(button: str) -> None:
    assert pressed(TWO, button)[0] == TWO


def test_a_rubric_stops_growing_at_its_limits() -> None:
    text = TWO
    for _ in range(20):
        text = pressed(text, "add-criterion")[0]
        text = pressed(text, "add-level-0")[0]
    assert len(text.criteria) == 10
    assert len(text.criteria[0].levels) == 6


@pytest.mark.parametrize("button", ["save", "", "add-round", "add-criterion-x", "drop-criterion-1", "up-level"])
def test_other_buttons_are_not_the_editors(button: str) -> None:
    answer = press(TWO, button)
    assert answer is None or answer[0] == TWO


BUTTONS = some.builds(
    "-".join,
    some.tuples(
        some.sampled_from(["add", "remove", "up", "down"]),
        some.sampled_from(["criterion", "level"]),
        some.sampled_from(string.digits),
        some.sampled_from(string.digits),
    ),
)


@given(some.lists(BUTTONS, max_size=30))
def test_no_row_of_buttons_loses_a_text_without_a_remove(buttons: list[str]) -> None:
    text = TWO
    for button in buttons:
        if not button.startswith("remove"):
            text = pressed(text, button)[0]
    assert {"Voice", "Time"} <= set(names(text))
    assert typed(fields_of(text)) == text
