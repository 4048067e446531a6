"""How questions of every type are answered: what keeps an answer from being given, and what it says."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lti_tool.rubrics.rules import (
    Asked,
    Comment,
    CriterionDraft,
    LevelDraft,
    Options,
    Question,
    Wrong,
    asked_of,
    beside,
    is_in_own_words,
    share_of,
)

THREE = Options(choices=("Red", "Green", "Blue"), points=10)
LEVELS = (LevelDraft("Not yet", "Nothing seen", 0), LevelDraft("Solid", "Seen once", 2), LevelDraft("Strong", "", 4))


def asked(question: Question, options: Options = THREE, **more: Any) -> Asked:
    levels = LEVELS if question is Question.LEVELS else ()
    draft = CriterionDraft("C", "", levels, question, options, **more)
    return Asked(7, draft, tuple(range(70, 70 + len(levels))))


def parts(*values: str) -> dict[str, str]:
    return {f"mark-7.{place}": value for place, value in enumerate(values)}


@pytest.mark.parametrize(
    ("texts", "left"), [(("7", "", "3"), 0), ((" 7 ",), 3), ((), 10), (("7", "9"), -6), (("7", "x"), None)]
)
def test_points_that_are_left_to_share_out_are_counted(texts: tuple[str, ...], left: int | None) -> None:
    assert asked(Question.SHARE).left(parts(*texts)) == left


RIGHT = [
    (asked(Question.LEVELS), {"mark-7": "71"}, ("Solid",)),
    (asked(Question.SCALE, Options(lowest=0, highest=10)), {"mark-7": "10"}, ("10 (0 – 10)",)),
    (
        asked(Question.SCALE, Options(lowest_words="never", highest_words="always")),
        {"mark-7": "3"},
        ("3 (1: never – 5: always)",),
    ),
    (asked(Question.CHOICE), {"mark-7": "2"}, ("Blue",)),
    (asked(Question.CHOICES), parts("1", "", "1"), ("Red", "Blue")),
    (asked(Question.SHORT), {"mark-7": " a line "}, ("a line",)),
    (asked(Question.LONG), {"mark-7": "x" * 10_000}, ("x" * 10_000,)),
    (asked(Question.SHARE), parts("7", "", "3"), ("Red: 7", "Blue: 3")),
    (asked(Question.RANKING), parts("2", "3", "1"), ("1. Blue", "2. Red", "3. Green")),
]
WRONG = [
    (asked(Question.LEVELS), {"mark-7": "99"}, Wrong.UNKNOWN),
    (asked(Question.SCALE), {"mark-7": "6"}, Wrong.UNKNOWN),
    (asked(Question.CHOICE), {"mark-7": "3"}, Wrong.UNKNOWN),
    (asked(Question.SHORT), {"mark-7": "x" * 256}, Wrong.TOO_LONG),
    (asked(Question.SHARE), parts("7", "2"), Wrong.OTHER_SUM),
    (asked(Question.SHARE), parts("7", "-3"), Wrong.NO_NUMBER),
    (asked(Question.SHARE), parts("7", "٣"), Wrong.NO_NUMBER),
    (asked(Question.RANKING), parts("1", "1", "2"), Wrong.NO_ORDER),
    (asked(Question.RANKING), parts("1", "2"), Wrong.NO_ORDER),
]


@pytest.mark.parametrize(("one", "fields", "lines"), RIGHT)
def test_an_answer_of_every_type_is_taken_kept_and_read(
    one: Asked, fields: dict[str, str], lines: tuple[str, ...]
) -> None:
    assert one.flaws(fields, is_required=True) == []
    assert set(fields) <= set(one.names())
    assert {name: one.usable(name, text) for name, text in fields.items()} == fields
    assert one.reply(one.tidy(fields)).lines == lines


@pytest.mark.parametrize(("one", "fields", "wrong"), WRONG)
def test_an_answer_that_does_not_fit_is_named(one: Asked, fields: dict[str, str], wrong: Wrong) -> None:
    assert one.flaws(fields, is_required=False) == [("mark-7", wrong)]


@pytest.mark.parametrize("question", Question)
def test_no_answer_is_missing_only_where_one_is_required(question: Question) -> None:
    assert asked(question).flaws({"mark-7": " "}, is_required=True) == [("mark-7", Wrong.MISSING)]
    assert asked(question).flaws({}, is_required=False) == []
    assert asked(question).reply({}).is_empty


def test_a_comment_is_asked_for_as_the_designer_says() -> None:
    answered = {"mark-7": "71", "mark-7.comment": "because"}
    required = asked(Question.LEVELS, comment=Comment.REQUIRED)
    assert required.flaws({"mark-7": "71"}, is_required=True) == [("mark-7.comment", Wrong.NO_COMMENT)]
    assert required.reply(answered).comment == "because"
    assert asked(Question.LEVELS, comment=Comment.OPTIONAL).flaws({"mark-7": "71"}, is_required=True) == []
    assert asked(Question.LEVELS).reply(answered).comment == ""


@given(
    some.sampled_from(Question), some.dictionaries(some.sampled_from(["mark-7", "mark-7.0", "mark-7.9"]), some.text())
)
def test_whatever_a_browser_sends_is_read_without_failing(question: Question, fields: dict[str, str]) -> None:
    one = asked(question, comment=Comment.OPTIONAL)
    one.flaws(fields, is_required=True)
    one.reply({name: one.usable(name, text) for name, text in fields.items() if name in one.names()})


def test_a_criterion_is_asked_about_its_seat_and_in_its_rounds() -> None:
    coach, third, all_ = asked(Question.SHORT, seat="coach"), asked(Question.SHORT, rounds=(3,)), asked(Question.SHORT)
    assert asked_of([coach, third, all_], {"", "coachee"}, 1) == [all_]
    assert asked_of([coach, third, all_], {"", "coachee", "coach"}, 3) == [coach, third, all_]
    assert asked_of([coach, third, all_], {"coach"}, 3) == [coach]


def test_points_are_weighted_and_only_levels_and_scales_have_them() -> None:
    scale = Asked(8, CriterionDraft("S", question=Question.SCALE, weight=3))
    without = Asked(9, CriterionDraft("N", levels=(LevelDraft("a"), LevelDraft("b"))), (90, 91))
    fields = {"mark-7": "71", "mark-8": "5", "mark-9": "90"}
    assert share_of([asked(Question.LEVELS), scale, without], fields) == Fraction(1 * 1 + 3 * 2, 2 * 4)
    assert share_of([without, asked(Question.CHOICE)], {"mark-9": "90", "mark-7": "1"}) is None
    assert share_of([asked(Question.LEVELS, weight=0)], fields) is None


@pytest.mark.parametrize(
    ("points", "shares"), [((2, 2), (1, 1)), ((4, 1), (1, Fraction(1, 4))), ((0, 0), (None, None)), ((0, 3), (0, 1))]
)
def test_points_of_levels_may_be_equal_none_or_descending(
    points: tuple[int, int], shares: tuple[Fraction | None, Fraction | None]
) -> None:
    levels = tuple(LevelDraft(label, points=number) for label, number in zip("ab", points, strict=True))
    one = Asked(7, CriterionDraft("C", levels=levels), (70, 71))
    assert tuple(one.share({"mark-7": level}) for level in ("70", "71")) == shares


def test_what_somebody_wrote_in_a_rubric_is_told_apart_from_what_they_chose() -> None:
    written = {"strengths": "3", "mark-7": "You again!", "mark-7.comment": "5"}
    chosen = {"mark-7": "71", "mark-7.0": "1"}
    assert all(is_in_own_words(name, text) for name, text in written.items())
    assert not any(is_in_own_words(name, text) for name, text in chosen.items())


def test_answers_stand_side_by_side_across_versions_of_a_rubric() -> None:
    newer = Asked(9, asked(Question.LEVELS).draft, (90, 91, 92))
    other = Asked(10, CriterionDraft("Other", question=Question.SHORT))
    [first, second] = beside(
        [([asked(Question.LEVELS)], {"mark-7": "72"}), ([newer, other], {"mark-9": "91", "mark-10": "x"})]
    )
    assert [reply.step for reply in first.replies if reply] == [3, 2]
    assert (second.name, second.steps, second.replies[0]) == ("Other", 0, None)
