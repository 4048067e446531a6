"""What complete feedback is, who may read it when, and how two versions of a text are kept."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.activities.kinds.blocks import ANSWER_FORM
from lti_tool.activities.kinds.form import LONGEST
from lti_tool.activities.kinds.observation import FEEDBACK_FORM
from lti_tool.activities.rules import Release
from lti_tool.feedback.rules import (
    Aside,
    Draft,
    Flaw,
    Moments,
    Problem,
    Reader,
    Stamp,
    clean,
    is_late,
    is_pool_ready,
    is_released,
    may_read,
    may_write,
    merge,
    newer_than_seen,
    problems_of,
    tidy,
    typical_level,
)
from lti_tool.rubrics.rules import Asked, CriterionDraft, LevelDraft

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def asked(id_: int, *levels: int) -> Asked:
    return Asked(id_, CriterionDraft(f"C{id_}", levels=tuple(LevelDraft(str(level)) for level in levels)), levels)


RUBRIC = (asked(7, 70, 71, 72), asked(8, 80, 81))
COMPLETE = {
    "strengths": "Calm start",
    "next_time_1": "name the goal",
    "behavior": "You paused",
    "effect": "People looked up",
    "suggestion": "Pause twice",
    "mark-7": "71",
    "mark-8": "80",
}


def test_notes_are_asked_for_before_anything_else_and_a_typed_one_counts() -> None:
    wanted = {"notes": 1, "minimum_notes": 3}
    assert problems_of(FEEDBACK_FORM, COMPLETE, RUBRIC, **wanted) == (Problem("note_draft", Flaw.FEW_NOTES, lacking=2),)
    assert problems_of(FEEDBACK_FORM, {**COMPLETE, "note_draft": "asks"}, RUBRIC, **wanted)[0].lacking == 1
    assert problems_of(FEEDBACK_FORM, {**COMPLETE, "note_draft": "asks"}, RUBRIC, notes=2, minimum_notes=3) == ()


def test_complete_feedback_has_no_problems() -> None:
    assert problems_of(FEEDBACK_FORM, COMPLETE, RUBRIC) == ()


@pytest.mark.parametrize("field", ["strengths", "next_time_1", "behavior", "effect", "suggestion"])
@pytest.mark.parametrize("blank", ["", "  \n\t"])
def test_a_blank_required_field_is_missing(field: str, blank: str) -> None:
    assert problems_of(FEEDBACK_FORM, {**COMPLETE, field: blank}, RUBRIC) == (Problem(field, Flaw.MISSING),)


def test_one_growth_point_is_enough_wherever_it_stands() -> None:
    moved = {**COMPLETE, "next_time_1": " ", "next_time_2": "name the goal"}
    assert problems_of(FEEDBACK_FORM, moved, RUBRIC) == ()
    assert tidy(FEEDBACK_FORM, moved)["next_time_1"] == "name the goal"
    assert tidy(FEEDBACK_FORM, moved)["next_time_2"] == ""


def test_every_criterion_needs_one_of_its_own_levels() -> None:
    assert problems_of(FEEDBACK_FORM, {**COMPLETE, "mark-8": "70", "mark-7": ""}, RUBRIC) == (
        Problem("mark-7", Flaw.NO_LEVEL, 7),
        Problem("mark-8", Flaw.UNKNOWN_CHOICE, 8),
    )


def test_a_text_may_have_ten_thousand_characters_and_not_one_more() -> None:
    assert problems_of(FEEDBACK_FORM, {**COMPLETE, "effect": "x" * LONGEST}, RUBRIC) == ()
    assert problems_of(FEEDBACK_FORM, {**COMPLETE, "effect": "x" * (LONGEST + 1)}, RUBRIC) == (
        Problem("effect", Flaw.TOO_LONG),
    )


def test_problems_come_in_the_order_of_the_page() -> None:
    fields = [problem.field for problem in problems_of(FEEDBACK_FORM, {}, RUBRIC)]
    assert fields == ["strengths", "next_time_1", "behavior", "effect", "suggestion", "mark-7", "mark-8"]


def test_an_answer_needs_both_lines_and_not_the_choice() -> None:
    assert problems_of(ANSWER_FORM, {"heard": "that I rush", "will_use": "a pause"}) == ()
    assert problems_of(ANSWER_FORM, {"heard": "", "will_use": "a pause", "usefulness": "5"}) == (
        Problem("heard", Flaw.MISSING),
        Problem("usefulness", Flaw.UNKNOWN_CHOICE),
    )


def test_text_is_cleaned_of_what_a_database_refuses() -> None:
    assert clean("a\r\nb\x00c\ud800d\te\rf") == "a\nbc?d\te\nf"


def moments(**values: datetime | None) -> Moments:
    names = ("submitted_at", "released_at", "counterpart_submitted_at", "due_at", "closed_at")
    return Moments(*(values.get(name) for name in names))


@pytest.mark.parametrize(
    ("release", "when", "expected"),
    [
        ("at_once", moments(), False),
        ("at_once", moments(submitted_at=NOW), True),
        ("when_both_gave", moments(submitted_at=NOW, due_at=NOW + DAY), False),
        ("when_both_gave", moments(submitted_at=NOW, counterpart_submitted_at=NOW, due_at=NOW + DAY), True),
        ("when_both_gave", moments(counterpart_submitted_at=NOW), False),
        ("when_both_gave", moments(submitted_at=NOW - DAY, due_at=NOW), True),
        ("when_both_gave", moments(submitted_at=NOW - DAY), False),
        ("when_both_gave", moments(submitted_at=NOW - DAY, closed_at=NOW), True),
        ("at_due", moments(submitted_at=NOW, counterpart_submitted_at=NOW, due_at=NOW + DAY), False),
        ("at_due", moments(submitted_at=NOW - DAY, due_at=NOW), True),
        ("at_due", moments(submitted_at=NOW), True),
        ("at_due", moments(submitted_at=NOW, due_at=NOW + DAY, closed_at=NOW), True),
        ("at_due", moments(submitted_at=NOW, released_at=NOW, due_at=NOW + DAY), True),
        ("by_instructor", moments(submitted_at=NOW - DAY, counterpart_submitted_at=NOW, due_at=NOW), False),
        ("by_instructor", moments(submitted_at=NOW - DAY, closed_at=NOW), False),
        ("by_instructor", moments(submitted_at=NOW - DAY, released_at=NOW), True),
    ],
)
def test_feedback_is_released_by_the_rule_of_the_activity(release: str, when: Moments, expected: bool) -> None:
    assert is_released(release, when, now=NOW) is expected


AUTHOR, RECIPIENT, THIRD = 1, 2, 3


@pytest.mark.parametrize(
    ("reader", "given", "released", "staff_read", "expected"),
    [
        (Reader(AUTHOR, False), False, False, False, True),
        (Reader(AUTHOR, False), True, True, False, True),
        (Reader(RECIPIENT, False), True, False, True, False),
        (Reader(RECIPIENT, False), True, True, False, True),
        (Reader(RECIPIENT, True), True, False, True, False),
        (Reader(THIRD, False), True, True, True, False),
        (Reader(None, False), True, True, True, False),
        (Reader(THIRD, True), True, True, False, False),
        (Reader(THIRD, True), True, False, True, True),
        (Reader(THIRD, True), False, False, True, False),
        (Reader(None, True), True, True, True, True),
    ],
)
def test_only_author_receiver_and_sometimes_staff_read(
    reader: Reader, given: bool, released: bool, staff_read: bool, expected: bool
) -> None:
    may = may_read(
        reader,
        author_id=AUTHOR,
        recipient_id=RECIPIENT,
        is_given=given,
        is_released=released,
        staff_read=staff_read,
    )
    assert may is expected


def test_only_a_ready_activity_of_a_living_course_takes_texts() -> None:
    assert may_write(state="ready", is_course_over=False)
    assert not may_write(state="ready", is_course_over=True)
    assert not any(may_write(state=state, is_course_over=False) for state in ("draft", "unconfirmed", "closed"))


def test_late_is_after_the_due_time_and_never_without_one() -> None:
    assert is_late(NOW + timedelta(seconds=1), NOW)
    assert not is_late(NOW, NOW)
    assert not is_late(NOW, None)
    assert not is_late(None, NOW)


def draft(text: str, version: int, device: str) -> Draft:
    return Draft({"strengths": text}, {"strengths": Stamp(version, device)}, (), version)


def test_a_text_that_the_device_had_seen_is_replaced() -> None:
    merged = merge(draft("old", 4, "phone"), {"strengths": "new"}, {"strengths": 4}, device="laptop", now=NOW)
    assert merged.changed == {"strengths": "new"}
    assert merged.stamps["strengths"] == Stamp(5, "laptop")
    assert merged.aside == ()


def test_a_text_that_the_device_never_saw_is_kept_aside() -> None:
    merged = merge(
        draft("from the phone", 4, "phone"), {"strengths": "mine"}, {"strengths": 3}, device="laptop", now=NOW
    )
    assert merged.changed == {"strengths": "mine"}
    assert merged.aside == (Aside("strengths", "from the phone", NOW),)
    assert merged.has_conflict


def test_a_save_whose_answer_got_lost_is_no_conflict() -> None:
    merged = merge(draft("one", 4, "phone"), {"strengths": "two"}, {"strengths": 1}, device="phone", now=NOW)
    assert merged.aside == ()
    assert merged.changed == {"strengths": "two"}


def test_a_text_that_contains_the_other_keeps_nothing_aside() -> None:
    merged = merge(draft("one", 4, "phone"), {"strengths": "one and more"}, {}, device="laptop", now=NOW)
    assert merged.aside == ()


def test_an_empty_field_of_an_older_page_deletes_nothing() -> None:
    merged = merge(draft("one", 4, "phone"), {"strengths": ""}, {"strengths": 0}, device="laptop", now=NOW)
    assert merged.changed == {}


def test_the_newest_choice_counts_and_is_not_kept_aside() -> None:
    stored = Draft({"mark-7": "70"}, {"mark-7": Stamp(4, "phone")}, (), 4)
    merged = merge(stored, {"mark-7": "71"}, {}, device="laptop", now=NOW, choices={"mark-7"})
    assert merged.changed == {"mark-7": "71"}
    assert merged.aside == ()


def test_a_device_learns_what_others_changed_and_nothing_else() -> None:
    stamps = {"strengths": Stamp(5, "phone"), "effect": Stamp(2, "phone"), "behavior": Stamp(6, "laptop")}
    bases = {"strengths": 3, "effect": 3, "behavior": 3}
    assert newer_than_seen({"strengths": "s"}, stamps, bases, device="laptop") == {"strengths": ("s", 5)}


texts = st.text(alphabet="ab ", max_size=6)


@settings(max_examples=200)
@given(saves=st.lists(st.tuples(st.sampled_from(["phone", "laptop"]), texts, st.integers(0, 9)), max_size=8))
def test_no_text_of_another_device_is_ever_lost(saves: list[tuple[str, str, int]]) -> None:
    """Whatever was stored and unseen is, after a save, still there: in the field, inside it, or aside."""
    now_stored = Draft({}, {}, (), 0)
    for device, text, base in saves:
        before = now_stored.fields.get("strengths", "")
        stamp = now_stored.stamps.get("strengths")
        unseen = stamp is not None and stamp.version > base and stamp.device != device
        merged = merge(now_stored, {"strengths": text}, {"strengths": base}, device=device, now=NOW)
        now_stored = Draft({**now_stored.fields, **merged.changed}, merged.stamps, merged.aside, now_stored.version + 1)
        if unseen and before.strip():
            kept = [now_stored.fields["strengths"], *(one.text for one in now_stored.aside)]
            assert any(before.strip() in one for one in kept)


def test_no_figure_with_fewer_than_three_people_behind_it() -> None:
    assert typical_level([(1, 3), (2, 3)]) is None
    assert typical_level([(1, 3), (1, 3), (2, 0)]) is None
    assert typical_level([(1, 3), (2, 0), (3, 2)]) == 2


@pytest.mark.parametrize(
    ("setting", "given", "everybody", "over", "ready"),
    [
        (Release.AT_ONCE, 3, True, False, True),
        (Release.AT_ONCE, 3, False, False, False),
        (Release.WHEN_BOTH_GAVE, 4, False, True, True),
        (Release.AT_DUE, 4, True, False, False),
        (Release.AT_DUE, 3, False, True, True),
        (Release.AT_ONCE, 2, True, True, False),
    ],
)
def test_anonymous_feedback_is_shown_together_and_never_with_fewer_than_three(
    setting: Release, given: int, everybody: bool, over: bool, ready: bool
) -> None:
    assert is_pool_ready(setting, given=given, everybody_gave=everybody, is_over=over) == ready
