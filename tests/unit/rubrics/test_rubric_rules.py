"""What a usable rubric is."""

from dataclasses import replace

import pytest

from lti_tool.rubrics.rules import (
    CriterionDraft,
    Flaw,
    LevelDraft,
    RubricDraft,
    RubricProblem,
    check,
)

LADDER = (LevelDraft("Not yet", "", 0), LevelDraft("Solid", "", 2))
GOOD = RubricDraft("Teaching", (CriterionDraft("Voice", "", LADDER), CriterionDraft("Time", "", LADDER)))


def with_levels(*levels: LevelDraft) -> RubricDraft:
    return RubricDraft("Teaching", (CriterionDraft("Voice", "", levels),))


def test_a_rubric_with_two_criteria_of_two_levels_is_usable() -> None:
    assert check(GOOD) == []


def test_a_rubric_needs_no_title_but_a_criterion() -> None:
    assert check(RubricDraft("", ())) == [RubricProblem(Flaw.NO_CRITERION)]


@pytest.mark.parametrize(("count", "flaws"), [(30, []), (31, [RubricProblem(Flaw.TOO_MANY_CRITERIA)])])
def test_thirty_criteria_are_the_most(count: int, flaws: list[RubricProblem]) -> None:
    assert check(RubricDraft("", tuple(CriterionDraft(f"No {n}", "", LADDER) for n in range(count)))) == flaws


@pytest.mark.parametrize(
    ("count", "flaws"),
    [
        (1, [RubricProblem(Flaw.TOO_FEW_LEVELS, 0)]),
        (2, []),
        (6, []),
        (7, [RubricProblem(Flaw.TOO_MANY_LEVELS, 0)]),
    ],
)
def test_a_criterion_has_two_to_six_levels(count: int, flaws: list[RubricProblem]) -> None:
    assert check(with_levels(*(LevelDraft(f"Level {n}") for n in range(count)))) == flaws


def test_labels_that_differ_only_in_case_or_spaces_are_the_same() -> None:
    assert check(with_levels(LevelDraft("Very good"), LevelDraft("very  GOOD"))) == [
        RubricProblem(Flaw.LABEL_TWICE, 0, 1)
    ]


def test_the_second_criterion_of_a_name_is_the_one_to_change() -> None:
    twice = replace(GOOD, criteria=(GOOD.criteria[0], replace(GOOD.criteria[1], name="VOICE")))
    assert check(twice) == [RubricProblem(Flaw.NAME_TWICE, 1)]


def test_missing_names_and_labels_are_named_where_they_are() -> None:
    assert check(RubricDraft("", (CriterionDraft("", "", (LevelDraft(""), LevelDraft("Solid"))),))) == [
        RubricProblem(Flaw.NAME_MISSING, 0),
        RubricProblem(Flaw.LABEL_MISSING, 0, 0),
    ]


def test_texts_have_a_longest_length() -> None:
    long = RubricDraft(
        "t" * 256, (CriterionDraft("n" * 256, "d" * 2001, (LevelDraft("l" * 256, "d" * 2001), LADDER[0])),)
    )
    assert [problem.flaw for problem in check(long)] == [
        Flaw.NAME_TOO_LONG,
        Flaw.NAME_TOO_LONG,
        Flaw.DESCRIPTION_TOO_LONG,
        Flaw.LABEL_TOO_LONG,
        Flaw.DESCRIPTION_TOO_LONG,
    ]


@pytest.mark.parametrize(("points", "is_fine"), [(0, True), (1000, True), (1001, False), (-1, False)])
def test_points_are_from_0_to_1000(points: int, is_fine: bool) -> None:
    assert (check(with_levels(LevelDraft("A", "", points), LevelDraft("B"))) == []) is is_fine
