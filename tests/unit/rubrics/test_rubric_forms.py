"""The rubric editor: what was typed survives, and its buttons do what they say."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lti_tool.rubrics.forms import REMARKS, RubricForm, asides_of, press, read, replaced, sent, shown, typed
from lti_tool.rubrics.rules import (
    Comment,
    CriterionDraft,
    LevelDraft,
    Options,
    Question,
    Remark,
    RubricDraft,
    check,
)

PLAIN: dict[str, Any] = dict.fromkeys(
    (
        "question",
        "options",
        "share",
        "lowest",
        "lowest_words",
        "highest",
        "highest_words",
        "comment",
        "weight",
        "seat",
        "rounds",
    ),
    "",
)
TWO: dict[str, Any] = {
    "title": "Teaching",
    "use_points": True,
    "criteria": [
        PLAIN
        | {
            "name": "Voice",
            "description": "Loud?",
            "levels": [
                {"label": "Not yet", "description": "a", "points": "0"},
                {"label": "Solid", "description": "b", "points": "2"},
            ],
        },
        PLAIN
        | {
            "name": "Time",
            "description": "",
            "levels": [
                {"label": "Late", "description": "", "points": "0"},
                {"label": "In time", "description": "", "points": "1"},
            ],
        },
    ],
}


def two(**changes: Any) -> RubricForm:
    return RubricForm(data=TWO | changes)


def fields_of(form: RubricForm) -> dict[str, str]:
    """What a browser sends of this editor."""
    return dict(sent(form))


def data_of(form: RubricForm) -> dict[str, Any]:
    """What is typed, without what was typed before."""
    return {name: value for name, value in form.data.items() if name not in {"before", "origin"}}


def pressed(form: RubricForm, button: str) -> str:
    focus = press(form, button)
    assert focus is not None
    return focus


def names(form: RubricForm) -> list[str]:
    return [criterion["name"] for criterion in form.data["criteria"]]


def labels(form: RubricForm, criterion: int = 0) -> list[str]:
    return [level["label"] for level in form.data["criteria"][criterion]["levels"]]


def points(form: RubricForm, criterion: int = 0) -> list[str]:
    return [level["points"] for level in form.data["criteria"][criterion]["levels"]]


def test_what_was_typed_is_what_is_shown_again() -> None:
    assert data_of(typed(fields_of(two()))) == TWO


def test_a_gap_in_the_numbering_closes() -> None:
    without_first = {name: text for name, text in fields_of(two()).items() if not name.startswith("criteria-0")}
    form = typed(without_first)
    assert names(form) == ["Time"]
    assert data_of(typed(fields_of(form))) == data_of(form)


def test_text_is_read_without_spaces_around_it() -> None:
    form = typed(fields_of(two()) | {"criteria-1-name": "  Pace \n", "rubric-title": " T "})
    assert (form.data["title"], names(form)) == ("T", ["Voice", "Pace"])


@pytest.mark.parametrize("name", ["criteria-²-name", "criteria-0-levels-٣-label", f"criteria-{'9' * 5000}-name"])
def test_names_that_no_page_of_ours_has_are_passed_over(name: str) -> None:
    assert data_of(typed(fields_of(two()) | {name: "x"})) == TWO


def test_too_many_criteria_and_levels_are_read_so_that_the_page_can_say_so() -> None:
    many = {f"criteria-{c}-levels-{n}-label": "x" for c in range(50) for n in range(50)}
    form = typed(many)
    assert (len(names(form)), len(labels(form))) == (40, 40)


def test_a_kept_rubric_comes_back_the_same_through_the_form() -> None:
    draft = RubricDraft("T", (CriterionDraft("Voice", "d", (LevelDraft("A", "x", 0), LevelDraft("B", "y", 3))),))
    again, problems = read(typed(fields_of(shown(draft))))
    assert (again, problems) == (draft, {})


@pytest.mark.parametrize("text", ["1.5", "-1", "many", "１", "99999999"])
def test_points_that_are_no_whole_number_are_named_and_kept_as_typed(text: str) -> None:
    form = typed(fields_of(two()) | {"criteria-1-levels-0-points": text})
    _, problems = read(form)
    assert list(problems) == ["criteria-1-levels-0-points"]
    assert points(form, 1)[0] == text


def test_empty_points_are_none_at_all() -> None:
    draft, problems = read(typed(fields_of(two()) | {"criteria-0-levels-1-points": ""}))
    assert problems == {}
    assert draft.criteria[0].levels[1].points == 0


def test_points_count_only_where_they_are_used() -> None:
    form = typed(fields_of(two(use_points=False)) | {"criteria-1-levels-0-points": "many"})
    draft, problems = read(form)
    assert problems == {}
    assert points(form, 1)[0] == "many"
    assert [level.points for criterion in draft.criteria for level in criterion.levels] == [0, 0, 0, 0]
    again = shown(draft)
    assert not again.data["use_points"]
    assert points(again) == ["", ""]
    assert points(shown(read(two())[0])) == ["0", "2"]


def test_without_points_a_new_level_has_none() -> None:
    form = two(use_points=False)
    pressed(form, "add-level-0")
    assert points(form)[2] == ""


def test_problems_stand_at_the_fields_they_concern() -> None:
    same = [{"label": "Same"}, {"label": "same"}]
    form = RubricForm(data={"title": "t" * 256, "criteria": [{"levels": same}, {"name": "Alone"}]})
    _, problems = read(form)
    assert list(problems) == ["rubric-title", "criteria-0-name", "criteria-0-levels-1-label", "criteria-1-levels"]
    assert list(read(RubricForm())[1]) == ["rubric"]


def test_a_new_criterion_begins_with_the_ladder_of_the_one_before() -> None:
    form = two()
    assert pressed(form, "add-criterion") == "criteria-2-name"
    assert names(form) == ["Voice", "Time", ""]
    assert labels(form, 2) == ["Late", "In time"]


def test_the_first_criterion_of_an_empty_rubric_has_two_levels_to_fill() -> None:
    form = RubricForm()
    pressed(form, "add-criterion")
    assert labels(form) == ["", ""]


def test_criteria_move_and_go() -> None:
    form = two()
    assert pressed(form, "down-criterion-0") == "criteria-1-name"
    assert data_of(form) == TWO | {"criteria": TWO["criteria"][::-1]}
    assert pressed(form, "up-criterion-1") == "criteria-0-name"
    assert data_of(form) == TWO
    assert data_of(typed(fields_of(form))) == TWO
    assert pressed(form, "remove-criterion-0") == "criteria-0-name"
    assert names(form) == ["Time"]
    assert pressed(form, "remove-criterion-0") == "add-criterion"
    assert names(form) == []


def test_levels_move_and_go() -> None:
    form = two()
    assert pressed(form, "up-level-0-1") == "criteria-0-levels-0-label"
    assert labels(form) == ["Solid", "Not yet"]
    assert pressed(form, "down-level-0-0") == "criteria-0-levels-1-label"
    assert pressed(form, "add-level-0") == "criteria-0-levels-2-label"
    assert (labels(form), points(form)) == (["Not yet", "Solid", ""], ["0", "2", "3"])
    assert pressed(form, "remove-level-0-1") == "criteria-0-levels-1-label"
    assert labels(form) == ["Not yet", ""]


@pytest.mark.parametrize(
    ("button", "focus"),
    [
        ("up-criterion-0", "criteria-0-name"),
        ("down-criterion-1", "criteria-1-name"),
        ("remove-criterion-9", "rubric"),
        ("up-level-0-0", "criteria-0-levels-0-label"),
        ("down-level-1-1", "criteria-1-levels-1-label"),
        ("remove-level-0-0", "criteria-0-name"),
        ("remove-level-0-9", "criteria-0-name"),
        ("add-level-9", "rubric"),
    ],
)
def test_a_button_that_leads_nowhere_changes_nothing(button: str, focus: str) -> None:
    form = two()
    assert pressed(form, button) == focus
    assert data_of(form) == TWO


def test_a_rubric_stops_growing_at_its_limits() -> None:
    form = two()
    for _ in range(40):
        pressed(form, "add-criterion")
        pressed(form, "add-level-0")
    assert len(names(form)) == 30
    assert len(labels(form)) == 6


@pytest.mark.parametrize("button", ["save", "", "add-round", "add-criterion-x", "drop-criterion-1", "copy-level-0-0"])
def test_other_buttons_are_not_the_editors(button: str) -> None:
    assert press(two(), button) is None


BUTTONS = some.builds(
    "-".join,
    some.tuples(
        some.sampled_from(["add", "remove", "up", "down", "copy", "kind"]),
        some.sampled_from(["criterion", "level"]),
        some.sampled_from(string.digits),
        some.sampled_from(string.digits),
    ),
)


@given(some.lists(BUTTONS, max_size=30))
def test_no_row_of_buttons_loses_a_text_without_a_remove(buttons: list[str]) -> None:
    form = two()
    for button in buttons:
        if not button.startswith("remove"):
            press(form, button)
    assert {"Voice", "Time"} <= set(names(form))
    assert {"Not yet", "Solid"} <= set(labels(form, names(form).index("Voice")))
    assert data_of(typed(fields_of(form))) == data_of(form)


def every_type() -> RubricDraft:
    three = ("Red", "Green, dark", "Blue")
    return RubricDraft(
        "All",
        (
            CriterionDraft("L", "d", (LevelDraft("A", "x", 1), LevelDraft("B", "y", 3)), weight=3, seat="coach"),
            CriterionDraft("S", question=Question.SCALE, options=Options((), 0, 7, "never", "always"), rounds=(1, 3)),
            CriterionDraft("C", question=Question.CHOICE, options=Options(three), comment=Comment.REQUIRED),
            CriterionDraft("Cs", question=Question.CHOICES, options=Options(three), comment=Comment.OPTIONAL),
            CriterionDraft("Sh", question=Question.SHORT, weight=0),
            CriterionDraft("Lo", question=Question.LONG),
            CriterionDraft("P", question=Question.SHARE, options=Options(three, points=100)),
            CriterionDraft("R", question=Question.RANKING, options=Options(three)),
        ),
    )


def test_a_rubric_with_every_type_of_question_comes_back_the_same_through_the_form() -> None:
    draft = every_type()
    assert check(draft) == []
    assert read(typed(fields_of(shown(draft))), rounds=3) == (draft, {})
    assert list(read(shown(draft), rounds=2)[1]) == ["criteria-1-rounds"]


def test_another_type_keeps_the_levels_and_options_that_were_typed() -> None:
    form = typed(fields_of(two()) | {"criteria-0-question": "choice", "criteria-0-options": "One\n\n Two "})
    assert pressed(form, "kind-criterion-0") == "criteria-0-question"
    assert read(form)[0].criteria[0] == CriterionDraft(
        "Voice", "Loud?", question=Question.CHOICE, options=Options(("One", "Two"))
    )
    again = typed(fields_of(form) | {"criteria-0-question": "levels"})
    assert read(again)[0].criteria[0].levels == read(two())[0].criteria[0].levels


def test_a_criterion_that_becomes_levels_again_has_two_to_fill() -> None:
    form = shown(RubricDraft("", (CriterionDraft("S", question=Question.SHORT),)))
    form = typed(fields_of(form) | {"criteria-0-question": "levels"})
    pressed(form, "kind-criterion-0")
    assert labels(form) == ["", ""]


def test_a_copy_stands_below_and_has_a_name_of_its_own() -> None:
    form = two()
    assert pressed(form, "copy-criterion-0") == "criteria-1-name"
    pressed(form, "copy-criterion-0")
    assert names(form) == ["Voice", "Voice (3)", "Voice (2)", "Time"]
    assert labels(form, 1) == labels(form, 0)


def test_changes_are_undone_one_after_the_other_also_when_the_form_travels_through_a_browser() -> None:
    form = typed(fields_of(two()))
    for button in ("remove-criterion-0", "add-level-0", "down-level-0-9"):
        pressed(form, button)
        form = typed(fields_of(form) | {"rubric-before": form.data["before"]})
    assert (names(form), labels(form)) == (["Time"], ["Late", "In time", ""])
    pressed(form, "undo-rubric")
    assert labels(form) == ["Late", "In time"]
    pressed(form, "undo-rubric")
    assert data_of(form) == TWO
    pressed(form, "undo-rubric")
    assert data_of(form) == TWO


def test_a_rubric_that_takes_the_place_of_another_can_be_taken_back() -> None:
    form = replaced(two(), every_type())
    assert names(form)[0] == "L"
    pressed(form, "undo-rubric")
    assert data_of(form) == TWO


@pytest.mark.parametrize("before", ["criteria-9999999999-name=x", "%%%", "a\nb\n\n", "criteria-0=1&rubric-before=x"])
def test_a_made_up_past_does_no_harm(before: str) -> None:
    form = typed(fields_of(two()) | {"rubric-before": before})
    assert press(form, "undo-rubric") == "rubric"


def test_points_that_may_surprise_are_remarked_on() -> None:
    odd = fields_of(two()) | {"criteria-0-levels-0-points": "2", "criteria-1-levels-0-points": "5"}
    remarks = [one.remark for one in asides_of(typed(odd), {})]
    assert remarks == [REMARKS[Remark.SAME_POINTS], REMARKS[Remark.DESCENDING]]
    assert [one.remark for one in asides_of(two(), {})] == ["", ""]
    assert [one.remark for one in asides_of(two(use_points=False), {})] == ["", ""]
